package pipeline

import (
	"context"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Notice is an update of a webhook field other than messages.
type Notice struct {
	WABA   wa.WABAID
	Number wa.PhoneNumberID // empty for fields of a WABA
	Entry  string           // id of the webhook's entry when it is not the WABA's; spec/webhooks.md section 3.1
	Field  string           // a field of the catalogue; the webhook room knows them
	App    wa.AppID         // the only app that is told; empty: all that are subscribed
	// Value is a JSON object: the value of the change. For fields with a value header (spec/webhooks.md section 9) it holds
	// what follows messaging_product and metadata, which the webhook room writes.
	Value []byte
}

// maxNotice bounds a value, in bytes: it must fit into a frame of the journal beside the other records of a burst.
const maxNotice = 256 << 10

// Notify makes a notice durable; the dispatcher posts it like everything else. After a nil error it will be posted; after
// any other the caller must assume that it may be. Who notifies of a change that is stored elsewhere calls this first and
// stores afterwards, or keeps a mark until it has returned: a crash then repeats the notice, and loses none. Errors:
// [wa.ErrUnavailable] when the lane's queue is full, the disk refuses or the pipeline stops, [wa.ErrInvalidParameter] for a
// value that is no JSON object or too large.
func (p *Pipeline) Notify(ctx context.Context, n *Notice) error {
	if len(n.Value) > maxNotice {
		return wa.ErrInvalidParameter.With("The value of the notice is larger than " + strconv.Itoa(maxNotice) + " bytes.")
	}
	c := &notify{n: *n, done: make(chan error, 1)}
	value := jsontext.Value(slices.Clone(n.Value))
	if err := value.Compact(); err != nil || value.Kind() != '{' {
		return wa.ErrInvalidParameter.With("The value of the notice is no JSON object.").Because(err)
	}
	c.n.Value = value
	l := p.lanes[p.noticePartition(n)]
	if !l.offer(c) {
		return wa.ErrUnavailable.With(textBusy)
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// noticePartition keeps the notices of a number in order with its messages, those of a WABA in order with each other.
func (p *Pipeline) noticePartition(n *Notice) int {
	if n.Number != "" {
		return p.Partition(n.Number)
	}
	return p.Partition(wa.PhoneNumberID(n.WABA))
}

type notify struct {
	n    Notice
	done chan error
}

func (c *notify) refuse(err error) { c.done <- err }
func (c *notify) durable()         { c.done <- nil }
func (c *notify) lost(err error)   { c.refuse(wa.ErrUnavailable.With(textRecovering).Because(err)) }

func (c *notify) run(l *lane) {
	if l.behind() {
		c.refuse(wa.ErrUnavailable.With(textBusy))
		return
	}
	if err := l.notice(&c.n); err != nil {
		c.refuse(wa.ErrUnavailable.Because(err))
		return
	}
	l.out.outcomes = append(l.out.outcomes, c)
}

// notice writes a notice into the burst at hand.
func (l *lane) notice(n *Notice) error {
	r := &record.Notice{WABA: n.WABA, Number: n.Number, Entry: n.Entry, Field: n.Field, App: n.App, At: l.now(), Value: n.Value}
	var err error
	if r.SealedValue, err = l.p.o.Vault.SealContent(0, r.AD(), r.Value); err != nil {
		return err
	}
	l.out.write(r, len(r.SealedValue)+128)
	return nil
}
