package template

import "slices"

// Component is a part of a template as it was created. Source: spec/templates.md section 6.
type Component struct {
	Type     ComponentType
	Format   HeaderFormat `json:",omitempty"` // HEADER only
	Text     string       `json:",omitempty"` // HEADER of format TEXT, BODY, FOOTER
	Buttons  []Button     `json:",omitempty"` // BUTTONS only
	Cards    []Card       `json:",omitempty"` // CAROUSEL only
	Offer    *Offer       `json:",omitempty"` // LIMITED_TIME_OFFER only
	Handle   string       `json:",omitempty"` // sample of a media header: the handle of an upload, or an address
	Example  []byte       `json:",omitempty"` // the example object as it was given, compact JSON; nil when there is none
	Security *bool        `json:",omitempty"` // BODY of an authentication template: add_security_recommendation, if it was given
	Expiry   int          `json:",omitempty"` // FOOTER of an authentication template: code_expiration_minutes, 0 for none
}

// Card of a carousel. All cards of a template have the same component types.
type Card struct {
	Components []Component
}

// Offer is what a limited-time offer says.
type Offer struct {
	Text       string
	Expiration bool // a send must say when it ends
}

// ComponentType is the type of a template component.
type ComponentType string

// The component types, in their canonical order. Source: spec/templates.md section 6.
const (
	Header         ComponentType = "HEADER"
	LimitedOffer   ComponentType = "LIMITED_TIME_OFFER"
	Body           ComponentType = "BODY"
	Footer         ComponentType = "FOOTER"
	Buttons        ComponentType = "BUTTONS"
	Carousel       ComponentType = "CAROUSEL"
	CallPermission ComponentType = "CALL_PERMISSION_REQUEST"
)

var componentOrder = []ComponentType{Header, LimitedOffer, Body, Footer, Buttons, Carousel, CallPermission}

// HeaderFormat is the kind of a header.
type HeaderFormat string

// The header formats. Source: spec/templates.md section 6.1.
const (
	HeaderText     HeaderFormat = "TEXT"
	HeaderImage    HeaderFormat = "IMAGE"
	HeaderVideo    HeaderFormat = "VIDEO"
	HeaderDocument HeaderFormat = "DOCUMENT"
	HeaderGIF      HeaderFormat = "GIF"
	HeaderLocation HeaderFormat = "LOCATION"
	HeaderProduct  HeaderFormat = "PRODUCT"
)

// media reports whether a header of this format shows a file.
func (f HeaderFormat) media() bool {
	return f == HeaderImage || f == HeaderVideo || f == HeaderDocument || f == HeaderGIF
}

// Button is one of a template's buttons. Source: spec/templates.md section 6.4.
type Button struct {
	Type     ButtonType
	Text     string `json:",omitempty"`
	URL      string `json:",omitempty"` // URL: may end in {{1}}
	Phone    string `json:",omitempty"` // PHONE_NUMBER
	Example  string `json:",omitempty"` // COPY_CODE: the code; URL: the filled-in sample
	Flow     *Flow  `json:",omitempty"` // FLOW
	OTP      *OTP   `json:",omitempty"` // OTP
	Minutes  int    `json:",omitempty"` // VOICE_CALL: ttl_minutes
	DeepLink []byte `json:",omitempty"` // APP: app_deep_link as it was given, compact JSON
}

// Flow is what a flow button opens.
type Flow struct {
	ID, Name, Action, Screen, Icon string
	JSON                           string `json:",omitempty"` // flow_json, kept as it was given
}

// OTP is what a one-time passcode button does. Source: spec/templates.md section 9.1.
type OTP struct {
	Kind     OTPKind
	Autofill string `json:",omitempty"` // label of the autofill button
	Apps     []App  `json:",omitempty"`
	Terms    bool   `json:",omitempty"` // zero_tap_terms_accepted

	onButton bool // while it is read: the button names its app itself
}

// OTPKind is the otp_type.
type OTPKind string

// The kinds of one-time passcode buttons.
const (
	OTPCopyCode OTPKind = "COPY_CODE"
	OTPOneTap   OTPKind = "ONE_TAP"
	OTPZeroTap  OTPKind = "ZERO_TAP"
)

// App is an Android app that may take a passcode.
type App struct {
	Package, Signature string
}

// ButtonType is the kind of a button.
type ButtonType string

// The button types. Source: spec/templates.md section 6.4.
const (
	QuickReply     ButtonType = "QUICK_REPLY"
	URLButton      ButtonType = "URL"
	PhoneButton    ButtonType = "PHONE_NUMBER"
	CopyCode       ButtonType = "COPY_CODE"
	FlowButton     ButtonType = "FLOW"
	VoiceCall      ButtonType = "VOICE_CALL"
	Catalog        ButtonType = "CATALOG"
	MultiProduct   ButtonType = "MPM"
	SingleProduct  ButtonType = "SPM"
	OrderDetails   ButtonType = "ORDER_DETAILS"
	Reminder       ButtonType = "REMINDER"
	OTPButton      ButtonType = "OTP"
	AppButton      ButtonType = "APP"
	RequestContact ButtonType = "REQUEST_CONTACT_INFO"
)

// Component returns the component of the given type, or nil.
func (t *Template) Component(ct ComponentType) *Component { return component(t.Components, ct) }

func component(list []Component, ct ComponentType) *Component {
	if i := slices.IndexFunc(list, func(c Component) bool { return c.Type == ct }); i >= 0 {
		return &list[i]
	}
	return nil
}

// buttons of a list of components.
func buttons(list []Component) []Button {
	if c := component(list, Buttons); c != nil {
		return c.Buttons
	}
	return nil
}
