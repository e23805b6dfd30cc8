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
	Components []Component // in canonical order
	TTL        int         `json:",omitempty"` // message_send_ttl_seconds; 0: the category's default, -1: 30 days
	Sample     bool        `json:",omitempty"` // created with the account, cannot be deleted

	SubCategory   string            `json:",omitempty"`
	DisplayFormat string            `json:",omitempty"`
	Library       string            `json:",omitempty"` // library_template_name
	UntrackedLink bool              `json:",omitempty"` // cta_url_link_tracking_opted_out
	PrimaryOnly   bool              `json:",omitempty"` // is_primary_device_delivery_only
	Specs         map[string][]byte `json:",omitempty"` // bid_spec and its kin, stored and returned; compact JSON

	Quality   Quality
	QualityAt time.Time `json:",omitzero"`
	Rejected  string    `json:",omitempty"` // rejected_reason; empty for NONE
	Previous  Category  `json:",omitempty"` // before the category was changed
	Missold   int       `json:",omitempty"` // how often it was made marketing after it was sold as utility
	Correct   Category  `json:",omitempty"` // correct_category: what it will be changed to at Recategorise

	Created time.Time
	Updated time.Time

	life
}

// CorrectCategory is the category that the template is going to have, that which it has once it was changed, and empty when
// nobody found it wrong. Source: spec/templates.md section 12.
func (t *Template) CorrectCategory() Category {
	if t.Correct == "" && t.Previous != "" {
		return t.Category
	}
	return t.Correct
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
