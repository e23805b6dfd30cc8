package template

import (
	"net/url"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Bounds of parameters. Sources: spec/messages.md sections 10.7, 10.13, 11.2.
const (
	maxTargets      = 1
	maxSections     = 10
	maxProducts     = 30
	maxSectionTitle = 24
	maxReference    = 60
	maxFilename     = 240
	maxMinutes      = 43_200

	// Ours, in bytes: all of it is kept with the template or travels with the message.
	maxFreeJSON = 8 << 10
	maxDeepLink = 2 << 10
	maxSpec     = 4 << 10
	maxFlowJSON = 32 << 10
	maxName     = 512
	maxPlace    = 1 << 10
	maxLink     = 4 << 10
	maxAbout    = 4 << 10
)

// bound refuses what is longer than anything a client has reason to send.
func bound(limit int, texts ...string) error {
	for _, s := range texts {
		if len(s) > limit {
			return wa.ErrValue.Withf("A parameter of the template is longer than %d bytes", limit)
		}
	}
	return nil
}

func (p *Param) check() error {
	switch {
	case !p.given:
		return wa.ErrComponentPayload.Withf("Parameter '%s' is mandatory for component parameter type '%s'", p.Type, p.Type)
	case p.hasName && p.Name == "":
		return wa.ErrParameterName
	}
	switch p.Type {
	case "text":
		if p.Text == "" {
			return empty("text", p.Type)
		}
	case "action":
		return p.Action.check()
	case "currency", "date_time":
		if p.Text == "" {
			return empty("fallback_value", p.Type)
		}
	case "image", "video", "document", "gif":
		return p.Media.check()
	case "location":
		return p.Location.check()
	case "product":
		if p.Product.RetailerID == "" {
			return empty("product_retailer_id", p.Type)
		}
		if p.Product.CatalogID == "" {
			return empty("catalog_id", p.Type)
		}
		return bound(maxName, p.Product.RetailerID, p.Product.CatalogID)
	case "limited_time_offer":
		if p.Number <= 0 {
			return wa.ErrValue.With("expiration_time_ms must be a moment in Unix milliseconds")
		}
	case "order_status":
		if n := utf8.RuneCountInString(p.Order.Reference); n < 1 || n > maxReference {
			return wa.ErrValue.Withf("reference_id length invalid. Min length: 1, Max length: %d", maxReference)
		}
		return bound(maxAbout, p.Order.Description)
	case "tap_target_configuration":
		return checkTargets(p.Targets)
	case "ttl_minutes":
		if p.Number < 1 || p.Number > maxMinutes {
			return wa.ErrValue.Withf("ttl_minutes must be between 1 and %d", maxMinutes)
		}
	}
	return nil
}

func empty(what, kind string) error {
	return wa.ErrRequired.Withf("Parameter '%s' must not be empty for component parameter type '%s'", what, kind)
}

func (m *Media) check() error {
	switch {
	case m.ID == "" && m.Link == "":
		return wa.ErrRequired.Withf("Parameter 'id' or 'link' is mandatory for component parameter type '%s'", m.Kind)
	case m.ID != "" && m.Link != "":
		return wa.ErrValue.Withf("%s: only one of 'id' and 'link' may be given", m.Path)
	case utf8.RuneCountInString(m.Filename) > maxFilename:
		return wa.ErrValue.Withf("filename length invalid. Max length: %d", maxFilename)
	}
	return bound(maxLink, m.ID, m.Link)
}

func (a *Action) check() error {
	if err := bound(maxName, a.FlowToken, a.Thumbnail); err != nil {
		return err
	}
	for _, s := range a.Sections {
		if err := bound(maxName, s.Products...); err != nil {
			return err
		}
	}
	return nil
}

func (l *Location) check() error {
	switch {
	case l.Name == "":
		return empty("name", "location")
	case l.Address == "":
		return empty("address", "location")
	case l.Latitude < -90 || l.Latitude > 90:
		return wa.ErrValue.With("latitude must be between -90 and 90")
	case l.Longitude < -180 || l.Longitude > 180:
		return wa.ErrValue.With("longitude must be between -180 and 180")
	}
	return bound(maxPlace, l.Name, l.Address)
}

func checkTargets(list []TapTarget) error {
	if len(list) == 0 {
		return empty("url", "tap_target_configuration")
	}
	for _, t := range list {
		if u, err := url.Parse(t.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return wa.ErrValue.With("url of a tap target must be an http or https address")
		}
		if err := bound(maxURL, t.URL, t.Title); err != nil {
			return err
		}
	}
	return nil
}
