package message

// Value is a request parameter as the API room hands it over: a node of a tree that knows its own path, so that every
// error names the parameter in Graph wording (code 100). An absent or null value is not Present, and all methods work on
// it. V is the implementing type itself; this keeps the two rooms apart without copying the tree.
type Value[V any] interface {
	Get(key string) V
	Present() bool
	Path() string
	Str() (string, error)
	StrOr(def string) (string, error)
	StrMax(limit int) (string, error)
	IDOr(def string) (string, error)
	BoolOr(def bool) (bool, error)
	IntOr(def int64) (int64, error)
	Float() (float64, error)
	Enum(allowed ...string) (string, error)
	EnumOr(def string, allowed ...string) (string, error)
	Object() (V, error)
	List() ([]V, error)
	Only(keys ...string) error
	Keys() []string
	AppendJSON(b []byte) []byte
}
