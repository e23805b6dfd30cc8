package business

import (
	"context"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Profile is what people see of a number. Source: spec/phone_numbers.md section 10.
type Profile struct {
	About, Address, Description, Email string
	Websites                           []string // at most two
	Vertical                           string   // upper case
	Picture                            Picture
}

// Picture is the profile photo: where its bytes are, not the bytes.
type Picture struct {
	ID   string // of the bytes in the picture store; empty: no photo
	Type string // MIME type
	At   time.Time
}

// Verticals are the industries of a profile, those that only old clients send at the end.
var Verticals = []string{
	"ALCOHOL", "APPAREL", "AUTO", "BEAUTY", "EDU", "ENTERTAIN", "EVENT_PLAN", "FINANCE", "GOVT", "GROCERY", "HEALTH", "HOTEL",
	"NONPROFIT", "ONLINE_GAMBLING", "OTC_DRUGS", "OTHER", "PHYSICAL_GAMBLING", "PROF_SERVICES", "RESTAURANT", "RETAIL", "TRAVEL",
	"UNDEFINED", "NOT_A_BIZ",
}

// ProfileChange names what changes; nil parts stay.
type ProfileChange struct {
	About, Address, Description, Email, Vertical *string
	Websites                                     *[]string
	Picture                                      *Picture
}

// Limits of a profile, in characters.
const (
	maxAbout       = 139
	maxAddress     = 256
	maxDescription = 512
	maxEmail       = 128
	maxWebsite     = 256
	maxWebsites    = 2
)

// Check holds every part to its limits. Errors are rows of code 100.
func (c *ProfileChange) Check() error {
	for _, t := range []struct {
		name  string
		value *string
		limit int
	}{{"about", c.About, maxAbout}, {"address", c.Address, maxAddress}, {"description", c.Description, maxDescription}, {"email", c.Email, maxEmail}} {
		if t.value != nil && utf8.RuneCountInString(*t.value) > t.limit {
			return wa.ErrParamTooLong.Fill(t.name, t.limit)
		}
	}
	if c.About != nil && strings.TrimSpace(*c.About) == "" {
		return wa.ErrInvalidParameter.Titled("Param about must not be empty.")
	}
	if c.Email != nil && *c.Email != "" {
		a, err := mail.ParseAddress(*c.Email)
		if err != nil || a.Address != *c.Email {
			return wa.ErrInvalidParameter.Titled("Param email must be a valid e-mail address.")
		}
	}
	if c.Vertical != nil && *c.Vertical != "" && !slices.Contains(Verticals, *c.Vertical) {
		return wa.ErrParamOneOf.Fill("vertical", strings.Join(Verticals, ", "), *c.Vertical)
	}
	if c.Websites == nil {
		return nil
	}
	if len(*c.Websites) > maxWebsites {
		return wa.ErrInvalidParameter.Titled("Param websites must be a list of at most %d URLs.", maxWebsites)
	}
	for _, w := range *c.Websites {
		u, err := url.Parse(w)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return wa.ErrParamURI.Fill("websites")
		}
		if utf8.RuneCountInString(w) > maxWebsite {
			return wa.ErrParamTooLong.Fill("websites", maxWebsite)
		}
	}
	return nil
}

// UpdateProfile changes the profile of a number. Errors: [ErrUnknown], [wa.ErrNumberDeleted] and those of [ProfileChange.Check].
func (s *Service) UpdateProfile(ctx context.Context, id wa.PhoneNumberID, c ProfileChange) (*Number, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	return s.UpdateNumber(ctx, id, func(n *Number) error {
		if !n.Live() {
			return wa.ErrNumberDeleted
		}
		p := Profile{}
		if n.Profile != nil {
			p = *n.Profile
		}
		set := func(to *string, v *string) {
			if v != nil {
				*to = *v
			}
		}
		set(&p.About, c.About)
		set(&p.Address, c.Address)
		set(&p.Description, c.Description)
		set(&p.Email, c.Email)
		set(&p.Vertical, c.Vertical)
		if c.Websites != nil {
			p.Websites = slices.Clone(*c.Websites)
		}
		if c.Picture != nil {
			p.Picture = *c.Picture
		}
		n.Profile = &p
		return nil
	})
}
