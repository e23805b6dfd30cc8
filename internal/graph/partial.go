package graph

import "github.com/hikyaku/hikyaku/internal/wa"

// Partial is the error of an action of which a part was done: its answer has the members of Done in front of the error.
// Source: spec/messages.md section 17.
type Partial struct {
	Row  *wa.Error
	Done Obj
}

// Error implements error.
func (p *Partial) Error() string { return p.Row.Error() }

// Unwrap returns the row.
func (p *Partial) Unwrap() error { return p.Row }

// join puts the members in front of the envelope of the error.
func (p *Partial) join(envelope []byte) []byte {
	var e encoder
	if len(p.Done) == 0 || e.value(p.Done) != nil {
		return envelope
	}
	return append(append(e.b[:len(e.b)-1], ','), envelope[1:]...)
}
