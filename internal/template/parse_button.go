package template

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// buttonRule says what a type of button is made of. Source: spec/templates.md section 6.4.
type buttonRule struct {
	most  int      // of the type in one list
	label string   // fixed or default text; empty: text is required
	keys  []string // besides type and text
}

var buttonRules = map[ButtonType]buttonRule{
	QuickReply:     {most: 10},
	URLButton:      {most: 2, keys: []string{"url", "example"}},
	PhoneButton:    {most: 1, keys: []string{"phone_number"}},
	CopyCode:       {most: 1, label: "Copy offer code", keys: []string{"example"}},
	FlowButton:     {most: 1, keys: []string{"flow_id", "flow_name", "flow_json", "flow_action", "navigate_screen", "icon"}},
	VoiceCall:      {most: 1, keys: []string{"ttl_minutes"}},
	Catalog:        {most: 1, label: "View catalog"},
	MultiProduct:   {most: 1, label: "View items"},
	SingleProduct:  {most: 1, label: "View"},
	OrderDetails:   {most: 1, label: "Review and pay"},
	Reminder:       {most: 1},
	AppButton:      {most: 1, keys: []string{"app_deep_link"}},
	RequestContact: {most: 1},
}

var otpKeys = []string{
	"type", "otp_type", "text", "autofill_text", "supported_apps", "package_name", "signature_hash", "zero_tap_terms_accepted",
}

var buttonTypes = []string{
	"QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "FLOW", "VOICE_CALL", "CATALOG", "MPM", "SPM", "ORDER_DETAILS", "REMINDER",
	"OTP", "APP", "REQUEST_CONTACT_INFO",
}

func parseButtons[V Value[V]](c *Component, v V, r *reading) error {
	if !v.Present() {
		return missing(Buttons, "buttons")
	}
	list, err := v.List()
	if err != nil {
		return err
	}
	if len(list) == 0 || len(list) > maxButtons {
		return wa.ErrParamType.Fill(v.Path(), "an array of 1 to 10 buttons")
	}
	c.Buttons = make([]Button, len(list))
	count, passcode := map[ButtonType]int{}, r.category == Authentication
	for i, e := range list {
		b := &c.Buttons[i]
		o, err := e.Object()
		if err != nil {
			return err
		}
		kind, err := o.Get("type").Enum(buttonTypes...)
		if err != nil {
			return err
		}
		b.Type = ButtonType(kind)
		if passcode != (b.Type == OTPButton) {
			return wa.ErrParamType.Fill(o.Get("type").Path(), "OTP in authentication templates and in no others")
		}
		if passcode {
			if len(list) != 1 {
				return wa.ErrParamType.Fill(v.Path(), "exactly one OTP button")
			}
			return parseOTP(b, o)
		}
		if err := parseButton(b, o, r); err != nil {
			return err
		}
		if count[b.Type]++; count[b.Type] > buttonRules[b.Type].most {
			return wa.ErrParamType.Fill(v.Path(), fmt.Sprintf("a list with at most %d buttons of type %s", buttonRules[b.Type].most, kind))
		}
	}
	if !grouped(c.Buttons) {
		return wa.ErrParamType.Fill(v.Path(), "a list whose quick replies stand together before or after the other buttons")
	}
	return nil
}

// grouped reports whether the quick replies stand together at one end.
func grouped(list []Button) bool {
	changes := 0
	for i := 1; i < len(list); i++ {
		if (list[i].Type == QuickReply) != (list[i-1].Type == QuickReply) {
			changes++
		}
	}
	return changes <= 1
}

func parseButton[V Value[V]](b *Button, o V, r *reading) (err error) {
	rule := buttonRules[b.Type]
	if err = expected(o, "BUTTONS", append([]string{"type", "text"}, rule.keys...)); err != nil {
		return err
	}
	if b.Text, err = o.Get("text").StrOr(rule.label); err != nil {
		return err
	}
	if err = checkLabel(b.Text); err != nil {
		return err
	}
	switch b.Type {
	case URLButton:
		return parseURL(b, o, r)
	case PhoneButton:
		return parsePhone(b, o.Get("phone_number"))
	case CopyCode:
		if b.Example, err = sample(o.Get("example")); err != nil {
			return err
		}
		if b.Example == "" {
			return missing(Buttons, "example")
		}
		return tooLong("copy code", b.Example, maxCopyCode)
	case FlowButton:
		return parseFlow(b, o)
	case VoiceCall:
		n, err := o.Get("ttl_minutes").IntOr(0)
		if err == nil && o.Get("ttl_minutes").Present() && (n < 1 || n > maxMinutes) {
			err = wa.ErrParamType.Fill(o.Get("ttl_minutes").Path(), "between 1 and 43200")
		}
		b.Minutes = int(min(max(n, 0), maxMinutes))
		return err
	case AppButton:
		b.DeepLink, err = freeObject(o.Get("app_deep_link"), maxDeepLink)
		return err
	case QuickReply, Catalog, MultiProduct, SingleProduct, OrderDetails, Reminder, OTPButton, RequestContact:
	}
	return nil
}

func checkLabel(s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return missing(Buttons, "text")
	case strings.Contains(s, "{{") || strings.ContainsAny(s, "\n\r\t*~`") || strings.ContainsFunc(s, pictograph):
		return wa.ErrTemplateButtonText
	}
	return tooLong("button text", s, maxButtonText)
}

// sample is the one example of a button: a text or a list of one.
func sample[V Value[V]](v V) (string, error) {
	list, err := v.StringsOr()
	if err != nil || len(list) != 1 {
		return "", err
	}
	return list[0], nil
}

func parseURL[V Value[V]](b *Button, o V, r *reading) (err error) {
	if b.URL, err = o.Get("url").StrOr(""); err != nil {
		return err
	}
	if b.URL == "" {
		return missing(Buttons, "url")
	}
	if err = tooLong("button URL", b.URL, maxURL); err != nil {
		return err
	}
	bare, vars := b.URL, Variables(b.URL)
	if len(vars) > 0 {
		bare = strings.TrimRight(b.URL, " ")
		at := strings.LastIndex(bare, "{{")
		if len(vars) != 1 || vars[0] != "1" || !strings.HasSuffix(bare, "}}") || strings.Count(bare, "{{") != 1 {
			return wa.ErrTemplateButtonURL
		}
		bare = bare[:at]
	}
	u, err := url.Parse(bare)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(bare, "{} \n\t") {
		return wa.ErrTemplateButtonURL
	}
	if len(vars) == 0 {
		return nil
	}
	if b.Example, err = sample(o.Get("example")); err == nil && b.Example == "" {
		err = missing(Buttons, "example")
	}
	if err != nil {
		r.late(err)
		return nil
	}
	if !strings.HasPrefix(b.Example, "http://") && !strings.HasPrefix(b.Example, "https://") {
		b.Example = bare + b.Example
	}
	return tooLong("example", b.Example, maxURL)
}

func parsePhone[V Value[V]](b *Button, v V) (err error) {
	if !v.Present() {
		return missing(Buttons, "phone_number")
	}
	if b.Phone, err = v.ID(); err != nil {
		return err
	}
	if err = tooLong("button phone number", b.Phone, maxPhone); err != nil {
		return err
	}
	if _, err := wa.ParsePhone(b.Phone); err != nil {
		return wa.ErrTemplatePhoneNumber.Fill(v.Path())
	}
	return nil
}

func parseFlow[V Value[V]](b *Button, o V) (err error) {
	f := &Flow{}
	given := 0
	if id := o.Get("flow_id"); id.Present() {
		given++
		if f.ID, err = id.ID(); err != nil {
			return err
		}
	}
	for _, m := range []member{{"flow_name", &f.Name}, {"flow_json", &f.JSON}} {
		if *m.to, err = o.Get(m.key).StrOr(""); err != nil {
			return err
		}
		if *m.to != "" {
			given++
		}
	}
	if len(f.ID)+len(f.Name)+len(f.Screen) > maxName || len(f.JSON) > maxFlowJSON {
		return wa.ErrParamType.Fill(o.Path(), "a button whose flow_json has at most 32768 bytes, and names 512")
	}
	if given != 1 {
		return wa.ErrParamType.Fill(o.Path(), "a button with exactly one of flow_id, flow_name and flow_json")
	}
	action, err := o.Get("flow_action").EnumOr("NAVIGATE", "NAVIGATE", "DATA_EXCHANGE")
	if err != nil {
		return err
	}
	f.Action = action
	if f.Screen, err = o.Get("navigate_screen").StrOr(""); err != nil {
		return err
	}
	f.Icon, err = o.Get("icon").EnumOr("", "DOCUMENT", "PROMOTION", "REVIEW")
	b.Flow = f
	return err
}

var (
	packagePattern   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$`)
	signaturePattern = regexp.MustCompile(`^[A-Za-z0-9+/=]{11}$`)
)

const (
	maxApps    = 5
	maxPackage = 224
)

// parseOTP reads the button of an authentication template. Source: spec/templates.md section 9.1.
func parseOTP[V Value[V]](b *Button, o V) error {
	if err := expected(o, "BUTTONS", otpKeys); err != nil {
		return err
	}
	kind, err := o.Get("otp_type").Enum(string(OTPCopyCode), string(OTPOneTap), string(OTPZeroTap))
	if err != nil {
		return err
	}
	b.OTP = &OTP{Kind: OTPKind(kind)}
	for _, m := range []member{{"text", &b.Text}, {"autofill_text", &b.OTP.Autofill}} {
		if *m.to, err = o.Get(m.key).StrOr(""); err != nil {
			return err
		}
		if *m.to != "" {
			if err = checkLabel(*m.to); err != nil {
				return err
			}
		}
	}
	if b.OTP.Terms, err = o.Get("zero_tap_terms_accepted").BoolOr(false); err != nil {
		return err
	}
	if b.OTP.Kind == OTPZeroTap && !b.OTP.Terms {
		return wa.ErrParamType.Fill(o.Get("zero_tap_terms_accepted").Path(), "true for zero-tap buttons")
	}
	if b.OTP.Kind == OTPCopyCode {
		if o.Get("supported_apps").Present() || b.OTP.Autofill != "" {
			return wa.ErrTemplateUnexpectedField.FillMsg("BUTTONS", "supported_apps, autofill_text")
		}
		return nil
	}
	return parseApps(b.OTP, o)
}

func parseApps[V Value[V]](p *OTP, o V) error {
	list, err := o.Get("supported_apps").ListOr()
	if err != nil {
		return err
	}
	p.onButton = o.Get("package_name").Present() || o.Get("signature_hash").Present()
	if len(list) == 0 && p.onButton { // the form of v20.0 and before
		list = []V{o}
	}
	if len(list) == 0 {
		return missing(Buttons, "supported_apps")
	}
	if len(list) > maxApps {
		return wa.ErrParamType.Fill(o.Get("supported_apps").Path(), "an array of at most 5 apps")
	}
	for _, a := range list {
		var app App
		if app.Package, err = a.Get("package_name").Str(); err != nil {
			return err
		}
		if app.Signature, err = a.Get("signature_hash").Str(); err != nil {
			return err
		}
		if len(app.Package) > maxPackage || !packagePattern.MatchString(app.Package) {
			return wa.ErrParamType.Fill(a.Get("package_name").Path(), "a package name such as com.example.app")
		}
		if !signaturePattern.MatchString(app.Signature) {
			return wa.ErrParamType.Fill(a.Get("signature_hash").Path(), "a hash of 11 characters")
		}
		if !slices.Contains(p.Apps, app) {
			p.Apps = append(p.Apps, app)
		}
	}
	return nil
}
