package template

// Notice is what a business is told by webhook: the field and the value. Sources: spec/webhooks.md sections 42 to 46.
type Notice struct {
	Field string
	Value []byte // JSON object
}
