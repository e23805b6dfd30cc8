package manager

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// maxDeliveries are shown of an app. Source: spec/manager.md C7.
const maxDeliveries = 200

// deliveries are the newest of the app, as far as the address asks for them.
func (v *visit) deliveries() []webhook.Delivery {
	if v.m.o.Dispatcher == nil {
		return nil
	}
	// Payloads are parsed after the log has let go of them: who looks at the page must not hold up what is being delivered.
	var out []webhook.Delivery
	for _, d := range v.m.o.Dispatcher.Deliveries(math.MaxInt, v.asks()) {
		if len(out) < maxDeliveries && v.reads(&d) {
			out = append(out, d)
		}
	}
	return out
}

// asks says which deliveries the address asks for: of the app, not delivered yet, with a text in them.
func (v *visit) asks() func(d *webhook.Delivery) bool {
	failed, text := v.field("show") == "failed", []byte(v.field("q"))
	return func(d *webhook.Delivery) bool {
		return d.Endpoint.App == v.app.ID && (!failed || d.State != webhook.StateDelivered) && bytes.Contains(d.Payload, text)
	}
}

// reads reports whether the person may see a delivery: they need DEVELOP on every account that it is about, since an app hears of many
// and its payloads hold what people wrote. Of accounts that are gone, whoever administers the app sees the rest.
func (v *visit) reads(d *webhook.Delivery) bool {
	var p struct {
		Entry []struct {
			ID string `json:"id"`
		} `json:"entry"`
	}
	if json.Unmarshal(d.Payload, &p) != nil {
		return false
	}
	for _, e := range p.Entry {
		w, ok := v.m.o.Business.WABA(wa.WABAID(e.ID))
		if ok && v.caller.May(asset(w), access.Develop, access.Management) != access.Allowed || !ok && !v.administers() {
			return false
		}
	}
	return true
}

// standing is how the receiver keeps the standard, and what waits for it.
func (v *visit) standing() html.Node {
	if v.m.o.Dispatcher == nil {
		return nil
	}
	for _, s := range v.m.o.Dispatcher.Stats() {
		if s.Endpoint.App != v.app.ID || s.Endpoint.Scope != "" {
			continue
		}
		median, share := "–", html.Text("–")
		if s.Answers > 0 {
			median = "≤ " + strconv.FormatInt(s.Median().Milliseconds(), 10) + " ms" // the bound of a bucket
			tone, word := kit.OK, v.t("webhooks.kept")
			if s.Slow() >= 0.01 {
				tone, word = kit.Warn, v.t("webhooks.below")
			}
			share = html.Group{html.Text(strconv.FormatFloat(100*(1-s.Slow()), 'f', 1, 64) + " % "), kit.Tag(tone, word)}
		}
		age := "–"
		if !s.Oldest.IsZero() {
			age = strconv.Itoa(int(v.m.o.Clock.Now().Sub(s.Oldest).Seconds())) + " s"
		}
		state := kit.Tag(kit.OK, v.t("webhooks.verified"))
		if s.Suspended {
			state = kit.Tag(kit.Bad, v.t("webhooks.suspended"))
		}
		return html.Section(html.Aria("label", v.t("webhooks.standing")), kit.Strip(
			kit.Fact{Name: v.t("webhooks.callback_url"), Value: html.Group{kit.Mono(s.URL), html.Text(" "), state}},
			kit.Fact{Name: v.t("webhooks.median"), Value: html.Text(median)},
			kit.Fact{Name: v.t("webhooks.share"), Value: share},
			kit.Fact{Name: v.t("webhooks.queue"), Value: html.Text(v.t("webhooks.waiting", "queued", s.Queued+s.Waiting, "lost", s.Lost, "age", age))}))
	}
	return nil
}

// deliveryLink is the page with a delivery open.
func (v *visit) deliveryLink(d *webhook.Delivery) string {
	q := url.Values{"delivery": {d.ID}}
	for _, name := range []string{"show", "q"} {
		if text := v.field(name); text != "" {
			q.Set(name, text)
		}
	}
	return v.at(partWebhooks) + "&" + q.Encode() + "#delivery"
}

func (v *visit) stateOf(d *webhook.Delivery) html.Node {
	word, tone := string(d.State), kit.Mute
	if n := len(d.Attempts); n > 0 {
		word = statusWord(d.Attempts[n-1])
		if n > 1 {
			word += " ×" + strconv.Itoa(n)
		}
	}
	switch d.State {
	case webhook.StateDelivered:
		tone = kit.OK
	case webhook.StateRetrying, webhook.StateHeld:
		tone = kit.Warn
	case webhook.StateDropped:
		tone = kit.Bad
	case webhook.StateSending:
	}
	return kit.Tag(tone, word)
}

// deliveriesCard is C7.
func (v *visit) deliveriesCard(list []webhook.Delivery) html.Node {
	failed := v.field("show") == "failed"
	right := kit.Seg(v.t("webhooks.show"), kit.Link{Text: v.t("webhooks.all"), Href: v.at(partWebhooks) + "#deliveries", Here: !failed},
		kit.Link{Text: v.t("webhooks.failed"), Href: v.at(partWebhooks) + "&show=failed#deliveries", Here: failed})
	head := kit.Head{Title: v.t("webhooks.deliveries"), Sub: kit.Results(v.lang, len(list)), Right: right}
	search := html.Form(html.Method("get"), html.Action(v.at(partWebhooks)), html.Role("search"), html.Class("search pad"), v.scopeFields(),
		kit.Field(kit.Input{Name: "q", Label: v.t("webhooks.search"), Type: "search", Value: v.field("q")}), kit.Btn(kit.Button{Text: v.t("webhooks.find"), Icon: "search"}))
	if len(list) == 0 {
		return kit.Flush(head, html.ID("deliveries"), search, kit.Empty("webhook", v.t("webhooks.none"), v.t("webhooks.none_why")))
	}
	rows := make([]kit.Cells, len(list))
	for i := range list {
		d := &list[i]
		latency := html.Text("–")
		at := d.Born
		if n := len(d.Attempts); n > 0 {
			at = d.Attempts[0].At
			latency = html.Group{kit.Num(d.Attempts[n-1].Latency.Milliseconds()), html.Text(" ms")}
		}
		rows[i] = kit.Cells{
			html.A(html.Href(v.deliveryLink(d)), html.Text(eventOf(d))), kit.Time(at, v.zone()), v.stateOf(d), latency,
		}
	}
	return kit.Flush(head, html.ID("deliveries"), search, kit.Table(v.t("webhooks.deliveries"), []kit.Column{
		{Title: v.t("webhooks.event")}, {Title: v.t("webhooks.time"), Second: true}, {Title: "HTTP"}, {Title: v.t("webhooks.latency"), Num: true},
	}, rows))
}

// found is the delivery of the address, when it is one of this app.
func (v *visit) found() *webhook.Delivery {
	id := v.field("delivery")
	if id == "" || v.m.o.Dispatcher == nil {
		return nil
	}
	list := v.m.o.Dispatcher.Deliveries(1, func(d *webhook.Delivery) bool { return d.ID == id && d.Endpoint.App == v.app.ID })
	if len(list) == 0 || !v.reads(&list[0]) {
		return nil
	}
	return &list[0]
}

// deliveryCard is one delivery in full.
func (v *visit) deliveryCard(h hooks) html.Node {
	if v.field("delivery") == "" {
		return nil
	}
	d := v.found()
	if d == nil {
		return kit.Note(kit.Warn, html.ID("delivery"), html.P(html.Text(v.t("webhooks.forgotten"))))
	}
	var tries html.Group
	for i, a := range d.Attempts {
		tries = append(tries, html.Li(html.Text("#"+strconv.Itoa(i+1)+" · "), kit.Time(a.At, v.zone()), html.Text(" · "), kit.Mono(statusWord(a)), html.Text(" · "),
			kit.Num(a.Latency.Milliseconds()), html.Text(" ms")))
	}
	if !d.Next.IsZero() {
		tries = append(tries, html.Li(html.Text(v.t("webhooks.next")+" "), kit.Time(d.Next, v.zone())))
	}
	return kit.Card(kit.Head{Title: eventOf(d), Sub: v.stateOf(d), Right: html.Group{
		html.Form(html.Method("post"), html.Action(v.at(partWebhooks+"redeliver")), kit.Hidden("delivery", d.ID),
			kit.Btn(kit.Button{Text: v.t("webhooks.redeliver"), Icon: "refresh-cw", Small: true, Off: !v.administers()})),
		kit.IconLink(v.t("webhooks.close"), "x", v.at(partWebhooks)+"#deliveries"),
	}}, html.ID("delivery"), v.attempt(h.again), kit.JSON(v.lang, v.t("webhooks.payload"), d.Payload), html.H3(html.Text(v.t("webhooks.attempts"))), html.Ul(tries))
}

func (v *visit) redeliver() error {
	d := v.found()
	if d == nil {
		return errMissing
	}
	a, err := v.m.o.Dispatcher.Redeliver(v.ctx(), d.ID)
	switch {
	case errors.Is(err, webhook.ErrNoDelivery), errors.Is(err, webhook.ErrNoSubscription):
		return errMissing
	case err != nil:
		return err
	}
	return v.showWebhooks(http.StatusOK, hooks{again: &a})
}
