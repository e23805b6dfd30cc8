package template

import (
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Template is one language of a message template. Source: spec/templates.md section 1.
type Template struct {
	ID         wa.TemplateID
	WABA       wa.WABAID
	Name       string
	Language   string // "en_US"
	Category   Category
	Status     Status
	Format     Format
	Components []Component // canonical order: HEADER, BODY, FOOTER, BUTTONS
	TTL        int         // message_send_ttl_seconds; 0: the category's default, -1: 30 days
	Sample     bool        // created with the account, cannot be deleted

	Quality  Quality
	Rejected string // rejected_reason; "NONE" or empty
	Previous Category
	Library  string // library_template_name

	Created time.Time
	Updated time.Time
}

// Category of a template.
type Category string

// The categories. Source: spec/templates.md section 2.
const (
	Authentication Category = "AUTHENTICATION"
	Marketing      Category = "MARKETING"
	Utility        Category = "UTILITY"
)

// Pricing is the lower-case category that pricing objects and the journal carry.
func (c Category) Pricing() string {
	switch c {
	case Authentication:
		return "authentication"
	case Marketing:
		return "marketing"
	case Utility:
		return "utility"
	}
	return ""
}

// Status of a template.
type Status string

// The states of a template. Source: spec/templates.md section 11.
const (
	Pending         Status = "PENDING"
	Approved        Status = "APPROVED"
	Rejected        Status = "REJECTED"
	Paused          Status = "PAUSED"
	Disabled        Status = "DISABLED"
	InAppeal        Status = "IN_APPEAL"
	PendingDeletion Status = "PENDING_DELETION"
	Deleted         Status = "DELETED"
	LimitExceeded   Status = "LIMIT_EXCEEDED"
	Archived        Status = "ARCHIVED"
	Flagged         Status = "FLAGGED"
	LockedStatus    Status = "LOCKED"
)

// Format says how variables are named.
type Format string

// Positional variables are {{1}}, {{2}}; named ones {{first_name}}.
const (
	Positional Format = "POSITIONAL"
	Named      Format = "NAMED"
)

// Quality is quality_score.score.
type Quality string

// The quality scores.
const (
	QualityUnknown Quality = "UNKNOWN"
	QualityGreen   Quality = "GREEN"
	QualityYellow  Quality = "YELLOW"
	QualityRed     Quality = "RED"
)

// Component is a part of a template as it was created. Source: spec/templates.md section 6.
type Component struct {
	Type    ComponentType
	Format  HeaderFormat // HEADER only
	Text    string       // HEADER of format TEXT, BODY, FOOTER
	Buttons []Button     // BUTTONS only
	Example []byte       // the example object as it was given, compact JSON; nil when there is none
}

// ComponentType is the type of a template component.
type ComponentType string

// The component types known so far.
const (
	Header  ComponentType = "HEADER"
	Body    ComponentType = "BODY"
	Footer  ComponentType = "FOOTER"
	Buttons ComponentType = "BUTTONS"
)

// HeaderFormat is the kind of a header.
type HeaderFormat string

// The header formats.
const (
	HeaderText     HeaderFormat = "TEXT"
	HeaderImage    HeaderFormat = "IMAGE"
	HeaderVideo    HeaderFormat = "VIDEO"
	HeaderDocument HeaderFormat = "DOCUMENT"
	HeaderLocation HeaderFormat = "LOCATION"
)

// Button is one of a template's buttons. Source: spec/templates.md section 6.4.
type Button struct {
	Type    ButtonType
	Text    string
	URL     string // URL: may end in {{1}}
	Phone   string // PHONE_NUMBER
	Example string // COPY_CODE: the code; URL: the filled-in sample
}

// ButtonType is the kind of a button.
type ButtonType string

// The button types known so far.
const (
	QuickReply  ButtonType = "QUICK_REPLY"
	URLButton   ButtonType = "URL"
	PhoneButton ButtonType = "PHONE_NUMBER"
	CopyCode    ButtonType = "COPY_CODE"
)

// Component returns the component of the given type, or nil.
func (t *Template) Component(ct ComponentType) *Component {
	for i := range t.Components {
		if t.Components[i].Type == ct {
			return &t.Components[i]
		}
	}
	return nil
}
