package business

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// OfficialStatus is oba_status. Source: spec/phone_numbers.md section 17.
type OfficialStatus string

// The states of an application.
const (
	OfficialNotStarted OfficialStatus = "NOT_STARTED"
	OfficialPending    OfficialStatus = "PENDING"
	OfficialApproved   OfficialStatus = "APPROVED"
	OfficialRejected   OfficialStatus = "REJECTED"
)

// OfficialRequest is an application to be an official business account.
type OfficialRequest struct {
	Status   OfficialStatus
	Message  string // status_message
	Decided  time.Time
	Website  string
	Parent   string
	Country  string
	Language string
	Support  string
	Links    []string
}

// officialPause is how long after a rejection nobody may ask again.
const officialPause = 30 * 24 * time.Hour

const maxSupportingLinks = 5

// OfficialState is the state of the number's application, never nil.
func (n *Number) OfficialState() OfficialRequest {
	switch {
	case n.OfficialRequest != nil:
		return *n.OfficialRequest
	case n.Official:
		return OfficialRequest{Status: OfficialApproved}
	}
	return OfficialRequest{Status: OfficialNotStarted}
}

// ApplyOfficial asks for the official badge. The business must be verified, two-step verification on and the display name
// approved; people decide. Errors: [ErrUnknown], [wa.ErrNumberDeleted] and rows of code 100 that name the condition.
func (s *Service) ApplyOfficial(ctx context.Context, id wa.PhoneNumberID, r OfficialRequest) (*Number, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return s.UpdateNumber(ctx, id, func(n *Number) error {
		p := s.snap.Load().portfolios[n.Business]
		have, now := n.OfficialState(), s.clock.Now()
		refuse := func(format string, args ...any) error { return wa.ErrInvalidParameter.Titled(format, args...) }
		switch {
		case !n.Live():
			return wa.ErrNumberDeleted
		case p == nil || p.Verification != Verified:
			return refuse("The business must be verified before it can apply for an official business account.")
		case !n.PIN.Enabled():
			return refuse("Two-step verification must be on before the phone number can become an official business account.")
		case n.NameStatus != NameApproved:
			return refuse("The display name must be approved before the phone number can become an official business account.")
		case have.Status == OfficialApproved:
			return refuse("The phone number is an official business account already.")
		case have.Status == OfficialPending:
			return refuse("An application for this phone number is pending.")
		case have.Status == OfficialRejected && now.Before(have.Decided.Add(officialPause)):
			return refuse("An application was rejected. Another one can be made after %s.", have.Decided.Add(officialPause).UTC().Format(time.DateOnly))
		}
		r.Status, r.Message, r.Decided = OfficialPending, "The application is being reviewed.", time.Time{}
		n.OfficialRequest = &r
		return nil
	})
}

func (r *OfficialRequest) check() error {
	if len(r.Links) > maxSupportingLinks {
		return wa.ErrInvalidParameter.Titled("Param supporting_links must be a list of at most %d URLs.", maxSupportingLinks)
	}
	for i, link := range append([]string{r.Website}, r.Links...) {
		u, err := url.Parse(link)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || len(link) > maxLink {
			if i == 0 {
				return wa.ErrParamURI.Fill("business_website_url")
			}
			return wa.ErrParamURI.Fill("supporting_links")
		}
	}
	if len(r.Parent) > maxSupport {
		return wa.ErrParamTooLong.Fill("parent_business_or_brand", maxSupport)
	}
	if len(r.Support) > maxSupport {
		return wa.ErrParamTooLong.Fill("additional_supporting_information", maxSupport)
	}
	return nil
}

// Ours: the published limits are unknown.
const (
	maxLink    = 2048
	maxSupport = 4096
)

// DecideOfficial ends an application, or grants the badge without one. Errors: [ErrUnknown].
func (s *Service) DecideOfficial(ctx context.Context, id wa.PhoneNumberID, approve bool) (*Number, error) {
	return s.UpdateNumber(ctx, id, func(n *Number) error {
		r := n.OfficialState()
		r.Decided = s.clock.Now()
		info := alertInfo{Severity: "INFORMATIONAL", Status: "NONE", Type: "OBA_APPROVED", Description: "Official Business Account granted"}
		r.Status, r.Message = OfficialApproved, ""
		if !approve {
			r.Status, r.Message = OfficialRejected, "The application was rejected."
			info.Type, info.Description = "OBA_REJECTED", "Official Business Account request rejected"
		}
		n.Official, n.OfficialRequest = approve, &r
		s.owe(s.notice(n.WABA, FieldAlerts, alertValue{EntityType: "PHONE_NUMBER", EntityID: string(n.ID), Info: info}))
		return nil
	})
}

// ---- username ----

// UsernameStatus is the state of a business username.
type UsernameStatus string

// The states of a username.
const (
	UsernameApproved UsernameStatus = "approved"
	UsernameReserved UsernameStatus = "reserved"
)

// ValidUsername holds a name to spec/phone_numbers.md section 18: 3 to 35 of a-z, 0-9, dot and underscore with a letter among
// them; dots neither at an end nor doubled; no leading www, no ending of a domain.
func ValidUsername(name string) bool {
	const least, most = 3, 35
	if len(name) < least || len(name) > most || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789._") != "" {
		return false
	}
	if !strings.ContainsAny(name, "abcdefghijklmnopqrstuvwxyz") || strings.HasPrefix(name, "www") {
		return false
	}
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return false
	}
	if at := strings.LastIndexByte(name, '.'); at >= 0 {
		return !slices.Contains(domainEndings, name[at+1:])
	}
	return true
}

// domainEndings are what makes a name look like an address on the web (ours).
var domainEndings = []string{"app", "biz", "co", "com", "de", "dev", "edu", "gov", "htm", "html", "info", "io", "jp", "me", "net", "org", "php", "uk", "us"}

// SetUsername gives the number a username: approved when the display name is, else reserved until then. force takes it from
// another number of the same portfolio. Errors: [ErrUnknown], [wa.ErrNotRegistered], [wa.ErrUsernameFormat],
// [wa.ErrUsernameUnavailable], [wa.ErrUsernameTransfer] without force.
func (s *Service) SetUsername(ctx context.Context, id wa.PhoneNumberID, name string, force bool) (*Number, error) {
	if !ValidUsername(name) {
		return nil, wa.ErrUsernameFormat
	}
	return s.UpdateNumber(ctx, id, func(n *Number) error { return s.setUsername(n, name, force) })
}

// setUsername needs mu.
func (s *Service) setUsername(n *Number, name string, force bool) error {
	if !n.Registered {
		return wa.ErrNotRegistered
	}
	if n.Username == name {
		return nil
	}
	for _, o := range s.snap.Load().numbers {
		if o.Username != name || !o.Live() || o.ID == n.ID {
			continue
		}
		if o.Business != n.Business {
			return wa.ErrUsernameUnavailable
		}
		if !force {
			return wa.ErrUsernameTransfer.With("The username belongs to another phone number of this business. Use transfer_action force_transfer.")
		}
		c := o.copy()
		c.Username, c.UsernameStatus = "", ""
		s.draft.Numbers = append(s.draft.Numbers, c)
		s.owe(s.notice(o.WABA, FieldUsername, usernameValue{Display: digitsOf(o), Status: "deleted"}))
	}
	n.Username, n.UsernameStatus = name, UsernameReserved
	if n.NameStatus == NameApproved {
		n.UsernameStatus = UsernameApproved
	}
	s.owe(s.notice(n.WABA, FieldUsername, usernameValue{Display: digitsOf(n), Username: name, Status: string(n.UsernameStatus)}))
	return nil
}

// RemoveUsername takes the username away. Errors: [ErrUnknown], [wa.ErrNotRegistered].
func (s *Service) RemoveUsername(ctx context.Context, id wa.PhoneNumberID) error {
	_, err := s.UpdateNumber(ctx, id, func(n *Number) error {
		if !n.Registered {
			return wa.ErrNotRegistered
		}
		if n.Username != "" {
			s.owe(s.notice(n.WABA, FieldUsername, usernameValue{Display: digitsOf(n), Status: "deleted"}))
		}
		n.Username, n.UsernameStatus = "", ""
		return nil
	})
	return err
}

// SuggestUsernames derives free usernames from the display name.
func (s *Service) SuggestUsernames(n *Number) []string {
	var b strings.Builder
	for _, r := range strings.ToLower(n.VerifiedName) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "."):
			b.WriteByte('.')
		}
	}
	const room = 24
	base := b.String()
	base = strings.Trim(base[:min(len(base), room)], ".")
	tail := string(n.WaID)
	tail = tail[max(0, len(tail)-4):]
	taken := map[string]bool{}
	for _, o := range s.snap.Load().numbers {
		taken[o.Username] = o.Live()
	}
	var out []string
	for _, c := range []string{
		base, strings.ReplaceAll(base, ".", "_"), strings.ReplaceAll(base, ".", ""), base + "_" + strings.ToLower(n.CountryCode),
		fmt.Sprintf("%s_%s", base, tail), "business_" + tail,
	} {
		if ValidUsername(c) && !taken[c] {
			taken[c] = true
			out = append(out, c)
		}
	}
	return out
}
