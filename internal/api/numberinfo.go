package api

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// encryptionEdge is /{phone-number-id}/whatsapp_business_encryption. Source: spec/phone_numbers.md section 13.
func (s *surface) encryptionEdge() graph.Edge[number] {
	item := graph.Object[number]{Name: "WhatsAppBusinessEncryption", Fields: []graph.Field[number]{
		{Name: "business_public_key", When: graph.ByDefault, Get: func(n number) any { return n.PublicKey.PEM }},
		{Name: "business_public_key_signature_status", When: graph.ByDefault, Get: func(n number) any { return string(n.PublicKey.Status) }},
	}}
	return s.single(edgeEncryption, item, func(n number) bool { return n.PublicKey != nil },
		func(ctx context.Context, c *graph.Call, n number) (any, error) {
			key, err := c.Params.Get("business_public_key").StrOr("")
			if err != nil {
				return nil, err
			}
			return done(s.o.Business.SetPublicKey(acting(ctx, c), n.ID, key))
		})
}

// commerceEdge is /{phone-number-id}/whatsapp_commerce_settings. Source: spec/phone_numbers.md section 15.
func (s *surface) commerceEdge() graph.Edge[number] {
	item := graph.Object[number]{Name: "WhatsAppCommerceSettings", Fields: []graph.Field[number]{
		{Name: "is_cart_enabled", When: graph.ByDefault, Get: func(n number) any { return n.Commerce.Cart }},
		{Name: "is_catalog_visible", When: graph.ByDefault, Get: func(n number) any { return n.Commerce.Visible }},
		{Name: "id", When: graph.Always, Get: func(n number) any { return string(n.ID) }},
	}}
	return s.single(edgeCommerce, item, func(n number) bool { return n.Commerce != nil },
		func(ctx context.Context, c *graph.Call, n number) (any, error) {
			cart, err := optionalBool(c.Params.Get("is_cart_enabled"))
			if err != nil {
				return nil, err
			}
			visible, err := optionalBool(c.Params.Get("is_catalog_visible"))
			if err != nil {
				return nil, err
			}
			if cart == nil && visible == nil {
				return nil, graph.Invalid("One of the parameters is_cart_enabled, is_catalog_visible is required.")
			}
			return done(s.o.Business.SetCommerce(acting(ctx, c), n.ID, cart, visible))
		})
}

func optionalBool(v graph.Value) (*bool, error) {
	if !v.Present() {
		return nil, nil
	}
	on, err := v.Bool()
	return &on, err
}

func optionalText(v graph.Value) (*string, error) {
	if !v.Present() {
		return nil, nil
	}
	text, err := v.Str()
	return &text, err
}

// complianceEdge is /{phone-number-id}/business_compliance_info. Source: spec/phone_numbers.md section 16.
func (s *surface) complianceEdge() graph.Edge[number] {
	contact := func(x business.Contact) graph.Obj {
		return graph.Obj{
			{K: "name", V: graph.NonEmpty(x.Name)},
			{K: "email", V: graph.NonEmpty(x.Email)},
			{K: "mobile_number", V: graph.NonEmpty(x.Mobile)},
			{K: "landline_number", V: graph.NonEmpty(x.Landline)},
		}
	}
	item := graph.Object[number]{Name: "WhatsAppBusinessComplianceInfo", Fields: []graph.Field[number]{
		{Name: "messaging_product", When: graph.ByDefault, Get: func(number) any { return "whatsapp" }},
		{Name: "entity_name", When: graph.ByDefault, Get: func(n number) any { return n.Compliance.EntityName }},
		{Name: "entity_type", When: graph.ByDefault, Get: func(n number) any { return n.Compliance.EntityType }},
		{Name: "entity_type_custom", When: graph.ByDefault, Get: func(n number) any { return graph.NonEmpty(n.Compliance.EntityTypeCustom) }},
		{Name: "is_registered", When: graph.ByDefault, Get: func(n number) any {
			if n.Compliance.Registered == nil {
				return nil
			}
			return *n.Compliance.Registered
		}},
		{Name: "grievance_officer_details", When: graph.ByDefault, Get: func(n number) any { return contact(n.Compliance.Officer) }},
		{Name: "customer_care_details", When: graph.ByDefault, Get: func(n number) any { return contact(n.Compliance.Customer) }},
	}}
	return s.single(edgeCompliance, item, func(n number) bool { return n.Compliance != nil }, s.updateCompliance)
}

func (s *surface) updateCompliance(ctx context.Context, c *graph.Call, n number) (any, error) {
	p := c.Params
	if _, err := p.Get("messaging_product").Enum("whatsapp"); err != nil {
		return nil, err
	}
	var x business.Compliance
	var err error
	if x.EntityName, err = p.Get("entity_name").Str(); err != nil {
		return nil, err
	}
	if x.EntityType, err = p.Get("entity_type").Enum(business.EntityTypes...); err != nil {
		return nil, err
	}
	if x.EntityTypeCustom, err = p.Get("entity_type_custom").StrOr(""); err != nil {
		return nil, err
	}
	if x.Registered, err = optionalBool(p.Get("is_registered")); err != nil {
		return nil, err
	}
	if x.Officer, err = readContact(p.Get("grievance_officer_details")); err != nil {
		return nil, err
	}
	if x.Customer, err = readContact(p.Get("customer_care_details")); err != nil {
		return nil, err
	}
	return done(s.o.Business.SetCompliance(acting(ctx, c), n.ID, x))
}

func readContact(v graph.Value) (x business.Contact, err error) {
	o, err := v.Object()
	if err != nil {
		return x, err
	}
	if err := o.Only("name", "email", "mobile_number", "landline_number"); err != nil {
		return x, err
	}
	for _, f := range []struct {
		name string
		to   *string
	}{{"name", &x.Name}, {"email", &x.Email}, {"mobile_number", &x.Mobile}, {"landline_number", &x.Landline}} {
		if *f.to, err = o.Get(f.name).IDOr(""); err != nil {
			return x, err
		}
	}
	return x, nil
}

// applyOfficial is POST /{phone-number-id}/official_business_account. Source: spec/phone_numbers.md section 17.
func (s *surface) applyOfficial(ctx context.Context, c *graph.Call, n number) (any, error) {
	p := c.Params
	var r business.OfficialRequest
	var err error
	for _, f := range []struct {
		name string
		to   *string
	}{{"business_website_url", &r.Website}, {"primary_country_of_operation", &r.Country}, {"primary_language", &r.Language}} {
		if *f.to, err = p.Get(f.name).StrMax(maxShort); err != nil {
			return nil, err
		}
	}
	if r.Parent, err = p.Get("parent_business_or_brand").StrOr(""); err != nil {
		return nil, err
	}
	if r.Support, err = p.Get("additional_supporting_information").StrOr(""); err != nil {
		return nil, err
	}
	if r.Links, err = p.Get("supporting_links").StringsOr(); err != nil {
		return nil, err
	}
	_, err = s.o.Business.ApplyOfficial(acting(ctx, c), n.ID, r)
	return done(err)
}

// maxShort bounds texts for which nothing is published.
const maxShort = 2048

// usernameEdge is /{phone-number-id}/username; as a field it is the name itself. Source: spec/phone_numbers.md section 18.
func (s *surface) usernameEdge() graph.Edge[number] {
	return graph.Edge[number]{
		Name: edgeUsername, NotField: true, Scopes: scopes(get, kindNumber, edgeUsername),
		Get: func(_ context.Context, _ *graph.Call, n number) (any, error) {
			return graph.Obj{{K: "username", V: graph.NonEmpty(n.Username)}, {K: "status", V: graph.NonEmpty(n.UsernameStatus)}}, nil
		},
		Post: &graph.Action[number]{Scopes: scopes(post, kindNumber, edgeUsername), Do: func(ctx context.Context, c *graph.Call, n number) (any, error) {
			name, err := c.Params.Get("username").Str()
			if err != nil {
				return nil, err
			}
			transfer, err := c.Params.Get("transfer_action").EnumOr("none", "none", "force_transfer")
			if err != nil {
				return nil, err
			}
			now, err := s.o.Business.SetUsername(acting(ctx, c), n.ID, name, transfer == "force_transfer")
			if err != nil {
				return nil, known(err)
			}
			return graph.Obj{{K: "status", V: string(now.UsernameStatus)}}, nil
		}},
		Delete: &graph.Action[number]{Scopes: scopes(remove, kindNumber, edgeUsername), Do: func(ctx context.Context, c *graph.Call, n number) (any, error) {
			return done(s.o.Business.RemoveUsername(acting(ctx, c), n.ID))
		}},
	}
}

func (s *surface) suggestionsEdge() graph.Edge[number] {
	return graph.Edge[number]{
		Name: edgeSuggestions, NotField: true, Scopes: scopes(get, kindNumber, edgeSuggestions),
		Get: func(_ context.Context, _ *graph.Call, n number) (any, error) {
			return graph.Obj{{K: "data", V: []graph.Obj{{{K: "username_suggestions", V: s.o.Business.SuggestUsernames(n.Number)}}}}}, nil
		},
	}
}

// recipientsEdge is /{phone-number-id}/allowed_recipients of a test number, an extension: the real service keeps the list in
// its dashboard. A person confirms with the code that POST without code sends. Source: spec/business.md section 8.2.
func (s *surface) recipientsEdge() graph.Edge[number] {
	type R = business.Recipient
	item := graph.Object[R]{Name: "AllowedRecipient", Fields: []graph.Field[R]{
		{Name: "wa_id", When: graph.ByDefault, Get: func(r R) any { return string(r.User) }},
		{Name: "added_time", When: graph.ByDefault, Get: func(r R) any { return moment(r.Added) }},
	}}
	return graph.Edge[number]{
		Name: edgeRecipients, NotField: true, Scopes: scopes(get, kindNumber, edgeRecipients),
		List: graph.Collection[number, R]{Item: item, Unpaged: true, List: func(_ context.Context, _ *graph.Call, n number, _ graph.Page) (graph.Items[R], error) {
			return graph.Items[R]{Data: n.Allowed, Total: len(n.Allowed)}, nil
		}},
		Post: &graph.Action[number]{Scopes: scopes(post, kindNumber, edgeRecipients), Do: func(ctx context.Context, c *graph.Call, n number) (any, error) {
			text, err := c.Params.Get("phone_number").ID()
			if err != nil {
				return nil, err
			}
			user, err := wa.ParsePhone(text)
			if err != nil {
				return nil, graph.Invalid("Param phone_number must be a phone number with its country calling code.")
			}
			if !c.Params.Has("code") {
				return done(s.o.Business.RequestRecipient(acting(ctx, c), n.ID, user))
			}
			code, err := c.Params.Get("code").Phone()
			if err != nil {
				return nil, err
			}
			_, err = s.o.Business.ConfirmRecipient(acting(ctx, c), n.ID, user, code)
			return done(err)
		}},
	}
}
