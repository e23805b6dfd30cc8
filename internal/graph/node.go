package graph

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// When says whether a field is part of an answer that was not asked for it.
type When uint8

// The zero value is OnAsk.
const (
	OnAsk     When = iota // only when named in fields
	ByDefault             // in the default set
	Always                // in every answer, also when other fields were named: id
)

// Node describes one kind of object: how it is found, read, changed and what hangs on it. It is data; the grammar is here.
type Node[T any] struct {
	// Kind is our own name of the type, what a [Resolver] answers and metrics are labelled with: "phone_number".
	Kind string
	// Name is the type in error messages: "WhatsAppBusinessPhoneNumber".
	Name string
	// Scopes of which a caller needs any one, for reads and for everything on the node that has none of its own.
	Scopes []string
	// Load returns the object if the caller may see it, else ErrInvisible. It runs for every call on the node, edges too.
	Load func(ctx context.Context, c *Call, id string) (T, error)

	Fields []Field[T]
	Edges  []Edge[T]
	Post   *Action[T] // POST /{id}: update
	Delete *Action[T] // DELETE /{id}
}

// Field is one member of an object.
type Field[T any] struct {
	Name string
	When When
	// Get returns the value; nil leaves the key out. No I/O, no permission checks. What it may return: encoder types (text,
	// numbers, bool, time.Time, Raw, Obj, slices and maps of them) or, with Sub, what Sub describes or a slice of it.
	Get func(T) any
	// Ask replaces Get for fields that need I/O or read their modifiers (analytics.start(…)). Only run when Get is nil.
	Ask func(ctx context.Context, c *Call, t T, it Item) (any, error)
	// Sub describes the value when it is an object with fields of its own, or another node.
	Sub Shape
	// Since and Until (exclusive) are the versions that have the field; zero means no bound. Elsewhere it does not exist.
	Since, Until Version
	// Scopes of which a caller needs any one, else the key is left out.
	Scopes []string
}

// Object describes a value with fields that is no node: no id, no edges.
type Object[T any] struct {
	Name   string // type in error messages
	Fields []Field[T]
}

// Shape is what has fields: a [Node], an [Object] or a [Ref].
type Shape interface {
	compile(b *builder) *shape
}

// ShapeOf is a Shape of values of type S.
type ShapeOf[S any] interface {
	Shape
	of(S)
}

// Ref is the node of a kind that is registered with the same [Server]. It allows nodes to refer to each other.
type Ref[T any] string

func (Node[T]) of(T)   {}
func (Object[T]) of(T) {}
func (Ref[T]) of(T)    {}

// NodeType is a [Node] of any T.
type NodeType interface {
	Shape
	kind() string
	fill(b *builder, s *shape)
}

// Edge is what hangs on a node: a collection, a single value, an action, or several of them under one name.
type Edge[T any] struct {
	Name   string
	Scopes []string // any of; nil: those of the node
	// List answers GET with {"data":[…],"paging":…}: a [Collection].
	List Lister[T]
	// Get answers GET with a value of its own form. Only run when List is nil. It reads c.Params itself.
	Get    func(ctx context.Context, c *Call, t T) (any, error)
	Post   *Action[T]
	Delete *Action[T]
	// One answers /{id}/{edge}/{c.Sub}.
	One *One[T]
	// Since and Until as in Field.
	Since, Until Version
	// NotField keeps the edge out of fields=.
	NotField bool
}

// One is an item of an edge under its own path component, in [Call].Sub.
type One[T any] struct {
	List   Lister[T] // answers GET with a list, as a [Collection] does; Get is not run then
	Get    func(ctx context.Context, c *Call, t T) (any, error)
	Post   *Action[T]
	Delete *Action[T]
}

// Action answers a POST or DELETE. What Do returns is encoded as [Field].Get says; [Success], [ID] and [Written] are the
// usual answers, [Raw] is written as it is.
type Action[T any] struct {
	Scopes  []string // any of; nil: those of the edge, then of the node
	MaxBody int64    // bytes, with files; 0 means the server's default, which also bounds bodies that are kept in memory
	Stream  bool     // the body is no parameter set: it is passed as c.Body, up to MaxBody
	Answers string   // the kind of node that Do answers as [Written]: the names in fields are looked at before anything changes
	Do      func(ctx context.Context, c *Call, t T) (any, error)
}

// Written is the answer of an action that changed or created a node: the node itself when the call names fields
// (spec/graph.md 5.4), else Else.
type Written struct {
	ID   string
	Else any
}

// Lister is a [Collection] of any item type.
type Lister[T any] interface {
	listing(b *builder) *listing
	over(T)
}

// Collection is the GET side of an edge with many items.
type Collection[T, S any] struct {
	Item    ShapeOf[S]
	Key     func(S) string // sort key for cursors: unique, not empty, at most 512 bytes; may be nil when Unpaged
	Default int            // items per page when limit is absent; 0 means 25
	Max     int            // above it limit is clamped; 0 means 100
	Unpaged bool           // everything in one answer without paging: single-valued edges
	Spans   bool           // first and last are read, too: the sizes of pages forward and backward
	// List returns the items p asks for, in the edge's order. See [Slice] for collections in memory.
	List func(ctx context.Context, c *Call, t T, p Page) (Items[S], error)
	// BadCursor replaces wa.ErrInvalidCursor on edges that answer an own row, from BadSince on; the zero version is every one.
	BadCursor *wa.Error
	BadSince  Version
}

func (Collection[T, S]) over(T) {}

// None is the parent of collections at the root.
type None struct{}

// Root is a path that belongs to no node: debug_token, oauth/access_token, message_template_library.
type Root struct {
	Path   string // one or two components, "oauth/access_token"
	Scopes []string
	Access Access
	// AnyCarrier accepts the caller's token from query and body whatever the policy: calls whose published form has it there.
	AnyCarrier bool
	List       Lister[None]
	Get        Handler
	Post       Handler
	Delete     Handler
}

// Handler answers a call at the root.
type Handler func(ctx context.Context, c *Call) (any, error)

// Access says whether a root path needs a token.
type Access uint8

// The zero value needs one.
const (
	TokenNeeded   Access = iota
	TokenOptional        // c.Caller is nil without
	TokenIgnored         // access_token is an ordinary parameter, c.Caller is nil
)
