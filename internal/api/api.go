package api

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// Pipeline takes what businesses send. Errors are rows of the table; anything else means that the process is going away.
type Pipeline interface {
	// Accept returns after the message is durable.
	Accept(ctx context.Context, m *pipeline.Outgoing) (wa.MessageID, error)
	// Mark returns after the read mark is durable.
	Mark(ctx context.Context, number wa.PhoneNumberID, id wa.MessageID, typing bool) error
	// BlockUsers returns one error for each user after what it did is durable.
	BlockUsers(ctx context.Context, number wa.PhoneNumberID, users []wa.WaID, on bool) ([]error, error)
	// Sent is a message that the number sent, or pipeline.ErrUnknown.
	Sent(ctx context.Context, number wa.PhoneNumberID, id wa.MessageID) (*pipeline.Sent, error)
	// SentAt is a message by its row, or pipeline.ErrUnknown.
	SentAt(ctx context.Context, row int64) (*pipeline.Sent, error)
	// History is a page of what the number sent, newest first: before a row, or with newer behind it.
	History(ctx context.Context, number wa.PhoneNumberID, from int64, newer bool, limit int) (pipeline.HistoryPage, error)
	// Blocked is a page of the users that the number blocks: behind after, or in front of before.
	Blocked(ctx context.Context, number wa.PhoneNumberID, after, before wa.WaID, limit int) ([]wa.WaID, error)
}

// Pacer decides whether a message of a template is held until it is known how people take the first ones. What was counted for
// a message that is refused after all is taken back by undo, which is never nil.
type Pacer interface {
	Pace(ctx context.Context, n *business.Number, id wa.TemplateID) (held bool, undo func(), err error)
}

// Options of the surface. The first ones are needed, the zero value of the rest works.
type Options struct {
	Access   *access.Service
	Business *business.Service
	Template *template.Service
	Flows    *flow.Service
	Grant    func(user, from wa.WaID, id, token string, draft bool) string // lets a user's devices open a flow; nil: they cannot
	Groups   *template.Groups                                              // nil: there are no template groups
	Webhooks *webhook.Service
	Pipeline Pipeline
	Clock    clock.Clock

	// Told returns the remembered webhooks about messages, newest first; nil: none is.
	Told func(ids ...wa.MessageID) []webhook.Delivery

	Pace Pacer // nil: no message is held

	// Full reports whether the portfolio's messaging limit is used up at now, in Unix milliseconds; nil: it never is.
	Full func(id wa.BusinessID, now int64) bool

	// RequirePayment tells by health_status which accounts cannot pay; see policy.Options.
	RequirePayment bool
	// Funded reports whether an account can pay for billable messages, where accounts have a balance; nil: all can.
	Funded func(w *business.WABA) bool

	Unrated       string // quality_rating of a number without one; "" means UNKNOWN
	LegacyFlagged bool   // status FLAGGED of connected numbers that are RED
	AppFloor      int    // calls of an app in an hour, however few users it has; 0 means limits.AppFloor

	Counts analytics.Source // of the metrics; nil: nothing was counted
	Rates  pricing.Set      // what messages cost; nil: nothing
	Media  *media.Service   // nil: no media can be uploaded or sent by id

	Uploads  Uploads  // of profile photos; nil: Media's
	Pictures Pictures // nil: no profile photos

	Log      *slog.Logger
	Observer graph.Observer
	Versions *graph.Registry // nil: the published ones, old ones upgraded
	Carriers graph.Carriers  // of tokens, besides the Authorization header; spec/access.md section 3.1
	BaseURL  string          // of paging URLs and app links; "": as the request says
	Revision string          // x-fb-rev
	MaxBody  int64           // bytes; 0: 1 MiB
	Rand     io.Reader       // of trace ids; nil: crypto/rand
	Names    io.Reader       // of the addresses of photos; nil: crypto/rand

	// Strict prepends the number's calling code to every recipient without a plus sign (spec/messages.md section 3.1).
	Strict bool
	// Known tells at once whether somebody on the user network has these digits; it settles recipients that can be read in
	// two ways. nil when nobody can tell.
	Known func(wa.WaID) bool
	// Style puts another row in place of one, see graph.Options.
	Style func(*wa.Error) *wa.Error
	// Admit is asked before the app's own rate limit, see graph.Options; nil admits.
	Admit func(ctx context.Context, c *graph.Call) error
}

// surface is what the nodes share.
type surface struct {
	o     Options
	meter *meter
}

// New builds the surface: an http.Handler for everything under the host that is not another door's path.
func New(o Options) (http.Handler, error) {
	if o.Access == nil || o.Business == nil || o.Template == nil || o.Flows == nil || o.Webhooks == nil || o.Pipeline == nil || o.Clock == nil {
		return nil, errors.New("api: Options needs Access, Business, Template, Flows, Webhooks, Pipeline and Clock")
	}
	if o.Uploads == nil && o.Media != nil {
		o.Uploads = uploadsOf{o.Media}
	}
	if o.Names == nil {
		o.Names = rand.Reader
	}
	if o.Counts == nil {
		o.Counts = noCounts{}
	}
	s := &surface{o: o, meter: newMeter()}
	return s.server()
}

// server is the grammar with the nodes of this surface.
func (s *surface) server() (*graph.Server, error) {
	o := &s.o
	nodes := []graph.NodeType{
		s.portfolioNode(), s.wabaNode(false), s.numberNode(), s.templateNode(), s.groupNode(), s.appNode(), s.systemUserNode(), s.personNode(),
		s.mediaNode(), s.uploadNode(), s.preverifiedNode(), s.flowNode(), s.historyNode(),
		s.creditNode(), s.allocationNode(), s.solutionNode(), s.intentNode(),
	}
	return graph.New(graph.Options{
		Nodes:    nodes,
		Roots:    append(s.oauthRoots(), graph.Root{Path: "debug_token", AnyCarrier: true, Get: s.debugToken}, library()),
		Resolver: s, Auth: s, Clock: o.Clock, Versions: o.Versions, Carriers: o.Carriers, Log: o.Log, Observer: o.Observer,
		Rand: o.Rand, BaseURL: o.BaseURL, MaxBody: o.MaxBody, Revision: o.Revision, Style: o.Style, Admit: s.admit,
		Enter: s.enter,
	})
}

// absent are fields that the type has and that no object here has a value for: known, and left out of every answer
// (spec/graph.md section 4.3).
func absent[T any](names ...string) []graph.Field[T] {
	out := make([]graph.Field[T], len(names))
	for i, name := range names {
		out[i] = graph.Field[T]{Name: name, Get: func(T) any { return nil }}
	}
	return out
}
