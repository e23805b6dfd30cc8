package business

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Commerce is whatsapp_commerce_settings. Source: spec/phone_numbers.md section 15.
type Commerce struct {
	Cart    bool // is_cart_enabled, true unless changed
	Visible bool // is_catalog_visible
}

// Compliance is business_compliance_info, which India asks for. Source: spec/phone_numbers.md section 16.
type Compliance struct {
	EntityName, EntityType, EntityTypeCustom string
	Registered                               *bool
	Officer, Customer                        Contact
}

// Contact is how to reach somebody who is responsible.
type Contact struct{ Name, Email, Mobile, Landline string }

// EntityTypes of a compliance info.
var EntityTypes = []string{"LIMITED_LIABILITY_PARTNERSHIP", "SOLE_PROPRIETORSHIP", "PARTNERSHIP", "PUBLIC_COMPANY", "PRIVATE_COMPANY", "OTHER"}

// Check holds the info to its rules. Errors are rows of code 100.
func (c *Compliance) Check() error {
	const least, most, custom = 2, 128, 128
	if n := utf8.RuneCountInString(c.EntityName); n < least || n > most {
		return wa.ErrInvalidParameter.Titled("Param entity_name must have %d to %d characters.", least, most)
	}
	switch {
	case c.EntityType == "OTHER" && c.EntityTypeCustom == "":
		return wa.ErrParamRequired.Fill("entity_type_custom")
	case c.EntityType != "OTHER" && c.EntityTypeCustom != "":
		return wa.ErrInvalidParameter.Titled("Param entity_type_custom is for entity_type OTHER only.")
	case len(c.EntityTypeCustom) > custom:
		return wa.ErrParamTooLong.Fill("entity_type_custom", custom)
	case c.Registered != nil && c.EntityType != "OTHER" && c.EntityType != "PARTNERSHIP":
		return wa.ErrInvalidParameter.Titled("Param is_registered is for entity_type OTHER or PARTNERSHIP only.")
	case c.Officer.Name == "":
		return wa.ErrParamRequired.Fill("grievance_officer_details['name']")
	}
	for _, d := range []struct {
		name string
		Contact
	}{{"grievance_officer_details", c.Officer}, {"customer_care_details", c.Customer}} {
		name, x := d.name, d.Contact
		if !strings.Contains(x.Email, "@") || len(x.Email) > maxEmail {
			return wa.ErrInvalidParameter.Titled("Param %s['email'] must be a valid e-mail address.", name)
		}
		if x.Mobile == "" && x.Landline == "" {
			return wa.ErrInvalidParameter.Titled("Param %s must have a mobile_number or a landline_number.", name)
		}
		for _, text := range []string{x.Name, x.Mobile, x.Landline} {
			if len(text) > most {
				return wa.ErrParamTooLong.Fill(name, most)
			}
		}
	}
	return nil
}

// KeyStatus is business_public_key_signature_status.
type KeyStatus string

// A key is valid until the number is registered again.
const (
	KeyValid    KeyStatus = "VALID"
	KeyMismatch KeyStatus = "MISMATCH"
)

// PublicKey is the business's encryption key for flows. Source: spec/phone_numbers.md section 13.
type PublicKey struct {
	PEM    string
	Sum    [32]byte // SHA-256 of the key's DER
	Status KeyStatus
	At     time.Time
}

const (
	maxKeyPEM = 4096
	keyBits   = 2048
)

// ParsePublicKey reads a PEM public key, RSA with 2048 bits. Errors: [wa.ErrPublicKeyMissing], [wa.ErrPublicKeyInvalid].
func ParsePublicKey(text string) (*PublicKey, error) {
	if text == "" {
		return nil, wa.ErrPublicKeyMissing
	}
	if len(text) > maxKeyPEM {
		return nil, wa.ErrPublicKeyInvalid
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" || len(strings.TrimSpace(string(rest))) > 0 {
		return nil, wa.ErrPublicKeyInvalid
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, wa.ErrPublicKeyInvalid.Because(err)
	}
	if k, ok := key.(*rsa.PublicKey); !ok || k.N.BitLen() != keyBits {
		return nil, wa.ErrPublicKeyInvalid
	}
	return &PublicKey{PEM: string(pem.EncodeToMemory(block)), Sum: sha256.Sum256(block.Bytes), Status: KeyValid}, nil
}

// change is UpdateNumber for numbers that still live.
func (s *Service) change(ctx context.Context, id wa.PhoneNumberID, f func(*Number)) error {
	_, err := s.UpdateNumber(ctx, id, func(n *Number) error {
		if !n.Live() {
			return wa.ErrNumberDeleted
		}
		f(n)
		return nil
	})
	return err
}

// SetPublicKey replaces the encryption key of a number. Errors: [ErrUnknown], [wa.ErrNumberDeleted], those of [ParsePublicKey].
func (s *Service) SetPublicKey(ctx context.Context, id wa.PhoneNumberID, text string) error {
	k, err := ParsePublicKey(text)
	if err != nil {
		return err
	}
	k.At = s.clock.Now()
	return s.change(ctx, id, func(n *Number) { n.PublicKey = k })
}

// SetCommerce changes the commerce settings; nil parts stay. Errors: [ErrUnknown], [wa.ErrNumberDeleted].
func (s *Service) SetCommerce(ctx context.Context, id wa.PhoneNumberID, cart, visible *bool) error {
	return s.change(ctx, id, func(n *Number) {
		c := Commerce{Cart: true}
		if n.Commerce != nil {
			c = *n.Commerce
		}
		if cart != nil {
			c.Cart = *cart
		}
		if visible != nil {
			c.Visible = *visible
		}
		n.Commerce = &c
	})
}

// SetCompliance replaces the compliance info. Errors: [ErrUnknown], [wa.ErrNumberDeleted], those of [Compliance.Check].
func (s *Service) SetCompliance(ctx context.Context, id wa.PhoneNumberID, c Compliance) error {
	if err := c.Check(); err != nil {
		return err
	}
	return s.change(ctx, id, func(n *Number) { n.Compliance = &c })
}

// SetAutomation replaces the conversational components; change gets a copy. Errors: [ErrUnknown], [wa.ErrNumberDeleted], those of
// [Automation.Check].
func (s *Service) SetAutomation(ctx context.Context, id wa.PhoneNumberID, change func(*Automation)) error {
	_, err := s.UpdateNumber(ctx, id, func(n *Number) error {
		if !n.Live() {
			return wa.ErrNumberDeleted
		}
		a := Automation{}
		if n.Automation != nil {
			a = *n.Automation
		}
		change(&a)
		if err := a.Check(); err != nil {
			return err
		}
		n.Automation = &a
		return nil
	})
	return err
}
