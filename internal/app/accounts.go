package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// courier brings ownership codes of business numbers the way that users' codes go.
type courier struct {
	driver network.CodeDriver
	clock  clock.Clock
}

// courierFor is nil without a driver.
func courierFor(d network.CodeDriver, c clock.Clock) business.Courier {
	if d == nil {
		return nil
	}
	return courier{d, c}
}

func (c courier) SendCode(ctx context.Context, to wa.WaID, code string, method business.CodeMethod, locale string) error {
	return c.driver.SendCode(ctx, network.CodeMessage{
		Phone: to, Code: code, Method: strings.ToLower(string(method)), Locale: locale, At: c.clock.Now(),
	})
}

func (c courier) ChooseCode(to wa.WaID) (string, bool) {
	if d, ok := c.driver.(network.CodeChooser); ok {
		return d.ChooseCode(to)
	}
	return "", false
}

// teller brings codes of recipients in a message of the test number, whatever driver there is for other codes. What it sends
// outside of the limits is bounded by the budget that codes have.
type teller struct{ p *platform }

// recipientCodeMinutes is how long such a code lives.
const recipientCodeMinutes = 10

func (t teller) TellCode(ctx context.Context, from *business.Number, to wa.WaID, code string) error {
	if t.p.inbox != nil { // CI reads it where it reads the others
		sms := network.CodeMessage{Phone: to, Code: code, Method: "message", Locale: "en_US", At: t.p.clock.Now()}
		if err := t.p.inbox.SendCode(ctx, sms); err != nil {
			return err
		}
	}
	text := template.Passcode(code, "en", recipientCodeMinutes)
	m := message.Outbound{To: to, Type: message.TypeTemplate}
	m.Finish(text.AppendJSON(nil), text.Category.Pricing(), text.Life)
	_, err := t.p.pipeline.Accept(ctx, &pipeline.Outgoing{
		Number: from.ID, To: to, Type: m.Type, Category: m.Category, Life: m.Life, Body: m.Body,
	})
	return err
}

// isPerson reports whether somebody on the user network has these digits.
func (p *platform) isPerson(ctx context.Context, id wa.WaID) (bool, error) {
	u, err := p.store.Directory().User(ctx, id)
	return u != nil, err
}

// tell hands the notices of accounts and numbers to the lanes until ctx ends.
func (p *platform) tell(ctx context.Context) {
	err := p.rules.business.Run(ctx, accountNotices{&p.board})
	if err != nil && !errors.Is(err, context.Canceled) {
		p.log.Warn("account notices stopped", "err", err)
	}
}

type accountNotices struct{ n *notices }

// Notify implements business.Notifier.
func (a accountNotices) Notify(ctx context.Context, n *business.Notice) error {
	return a.n.raise(ctx, n.WABA, "", n.Entry, n.Field, n.Value)
}

// sentPaid reports whether a number had messages delivered since then that are charged.
func (p *platform) sentPaid(ctx context.Context, n *business.Number, since time.Time) (bool, error) {
	words, err := p.store.Counted(ctx, analytics.Priced("regular", ""), string(n.WABA))
	if err != nil || len(words) == 0 {
		return false, err
	}
	from := analytics.Bucket(since.UnixMilli())
	to := analytics.Bucket(p.clock.Now().UnixMilli()) + analytics.HalfHour
	sums, err := p.store.Sum(ctx, &analytics.Sum{
		Subject: string(n.WABA), What: words[string(n.WABA)], From: from, To: to, Step: to - from, Numbers: []wa.PhoneNumberID{n.ID},
	})
	return len(sums) > 0, err
}
