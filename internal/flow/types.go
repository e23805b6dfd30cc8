package flow

import (
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/flow/document"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Flow is one flow. Values that a [Service] hands out are shared and must not be changed. Source: spec/flows.md sections 1
// and 3.
type Flow struct {
	ID         wa.FlowID
	WABA       wa.WABAID
	Name       string
	Status     Status
	Categories []Category
	Endpoint   string   `json:",omitempty"` // endpoint_uri
	App        wa.AppID `json:",omitempty"` // whose secret signs what goes to the endpoint

	Draft Revision
	Live  Revision

	PreviewTurn int       `json:",omitempty"` // how often the preview link was made anew; 0: there is none
	PreviewEnds time.Time `json:",omitzero"`

	Created time.Time
	Updated time.Time

	// Alerts holds the threshold of every alert that is activated.
	Alerts map[Event]float64 `json:",omitempty"`
	// Warned is what the business has been told of the ends of versions; once per version.
	Warned []Retirement `json:",omitempty"`
	// Outbox is what the business has not been told yet.
	Outbox []Notice `json:",omitempty"`
}

// Revision is a document as far as the platform must know it without reading it. The zero value is no document.
type Revision struct {
	N        int64              `json:",omitempty"` // which of the flow's documents; counts up
	At       time.Time          `json:",omitzero"`
	Version  document.Version   `json:",omitempty"` // of the Flow JSON
	DataAPI  string             `json:",omitempty"` // data_api_version, "3.0"; empty: it talks to no endpoint
	Channel  string             `json:",omitempty"` // data_channel_uri of documents before 3.0
	Screens  []string           `json:",omitempty"`
	Problems []document.Problem `json:",omitempty"`
}

// Exists reports whether there is a document.
func (r *Revision) Exists() bool { return r.N > 0 }

// Pending reports whether the draft is not what is live.
func (f *Flow) Pending() bool { return f.Draft.N != f.Live.N }

// Shown is the revision that reads of the flow describe: the one that was uploaded last.
func (f *Flow) Shown() *Revision { return &f.Draft }

// HasScreen reports whether the draft or what is live has the screen.
func (f *Flow) HasScreen(id string) bool { return f.Draft.has(id) || f.Live.has(id) }

// has reports whether the document has the screen; of a very large one nobody knows.
func (r *Revision) has(id string) bool {
	return len(r.Screens) >= maxScreens || slices.Contains(r.Screens, id)
}

// Talks reports whether the revision exchanges data with an endpoint.
func (r *Revision) Talks() bool { return r.DataAPI != "" || r.Channel != "" }

// endpoint is where the revision's data goes: documents before 3.0 say it themselves.
func (f *Flow) endpoint(r *Revision) string {
	if r.Version != 0 && r.Version < uriByAPI {
		return r.Channel
	}
	return f.Endpoint
}

// EndpointURI is where the data of the draft goes; empty when nobody said.
func (f *Flow) EndpointURI() string { return f.endpoint(&f.Draft) }

// uriByAPI is the first version of documents whose endpoint is set by the API. Source: spec/flows.md section 12.
const uriByAPI document.Version = 300

// Status of a flow.
type Status string

// The states of a flow. Source: spec/flows.md section 1.
const (
	Draft      Status = "DRAFT"
	Published  Status = "PUBLISHED"
	Deprecated Status = "DEPRECATED"
	Throttled  Status = "THROTTLED"
	Blocked    Status = "BLOCKED"
)

// Category of a flow.
type Category string

// Categories are all there are. Source: spec/flows.md section 2.
var Categories = []Category{
	"SIGN_UP", "SIGN_IN", "APPOINTMENT_BOOKING", "LEAD_GENERATION", "SHOPPING", "CONTACT_US", "CUSTOMER_SUPPORT", "SURVEY", "OTHER",
}

// Limits of a flow.
const (
	// MaxName is the length of a name in characters. Source: spec/flows.md section 1.
	MaxName = 200
	// MaxJSON is the size of a document in bytes. Source: spec/flows.md section 4.
	MaxJSON = 10 << 20
	// MaxEndpoint is the length of an endpoint's URL in bytes (ours).
	MaxEndpoint = 2048
	// MaxMigration is how many names a migration may list. Source: spec/flows.md section 2.
	MaxMigration = 100
	// MaxFlows of an account, unless the options say otherwise (ours; none is published).
	MaxFlows = 1000

	maxScreens = 2000 // of a document that are kept; a message may name any screen of a larger one
)

// clone is a copy that may be changed, slices replaced instead of written into.
func (f *Flow) clone() *Flow {
	c := *f
	c.Outbox = slices.Clip(c.Outbox)
	return &c
}
