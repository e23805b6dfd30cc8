package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/internal/store/storetest"
)

// campaign is a business with an ordinary number and approved templates.
type campaign struct {
	*stand
	number string
}

func newCampaign(t *testing.T, templates map[string]string, change func(*app.Options)) *campaign {
	t.Helper()
	c := &campaign{stand: run(t, func(o *app.Options) {
		o.Store = storetest.Postgres(t) // where there is one
		change(o)
	})}
	c.subscribe()
	c.number = decode[struct{ ID string }](t, c.control("POST", "numbers", map[string]any{"phone": "15550790001", "name": "Aozora", "live": true})).ID
	c.control("POST", "portfolios/"+c.start.Business+"/limit", map[string]any{"tier": "TIER_2K"})
	for name, category := range templates {
		c.graph("POST", c.start.WABA+"/message_templates", map[string]any{
			"name": name, "language": "en_US", "category": category,
			"components": []any{map[string]any{"type": "BODY", "text": "Words of " + name}},
		})
	}
	c.advance(3 * time.Second)
	c.idle()
	return c
}

// template sends one, and returns its id and message_status.
func (c *campaign) template(name, to string) (id, status string) {
	c.t.Helper()
	a := c.graph("POST", c.number+"/messages", map[string]any{
		"messaging_product": "whatsapp", "to": to, "type": "template",
		"template": map[string]any{"name": name, "language": map[string]string{"code": "en_US"}},
	})
	m := decode[struct {
		Messages []struct {
			ID     string
			Status string `json:"message_status"`
		}
	}](c.t, a.Body)
	if len(m.Messages) != 1 {
		c.t.Fatalf("%s", a.Body)
	}
	return m.Messages[0].ID, m.Messages[0].Status
}

// ends is what becomes of a message: delivered, or the code it failed with.
func (c *campaign) ends(id string) string {
	c.t.Helper()
	c.idle()
	if u, ok := c.hooks.Find(id, "failed"); ok {
		return codeOf.FindStringSubmatch(u.Content)[1]
	}
	c.status(id, "delivered")
	return "delivered"
}

// Who reads gets five marketing templates a day, who does not gets one; a restart in the middle forgets neither. Source:
// spec/limits.md section 4.
func TestAdaptiveCap(t *testing.T) {
	t.Parallel()
	c := newCampaign(t, map[string]string{"sale": "MARKETING"}, func(o *app.Options) { o.AdaptiveCap = true })
	const reader, other = "15550201001", "15550201002"
	c.control("POST", "users", map[string]any{"phone": "+" + reader})
	c.control("POST", "users", map[string]any{"phone": "+" + other, "behaviour": map[string]any{"read_rate": 0}})
	expect := func(what, to, want string) {
		t.Helper()
		id, _ := c.template("sale", to)
		if got := c.ends(id); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
		c.advance(10 * time.Second) // the pair limit
	}
	expect("the first to somebody unknown", other, "delivered")
	expect("the second to somebody who does not read", other, "131049")
	for i := range 3 {
		expect(fmt.Sprintf("number %d to somebody who reads", i+1), reader, "delivered")
	}
	c.down()
	c.up()
	for i := range 2 {
		expect(fmt.Sprintf("after a restart, number %d", i+4), reader, "delivered")
	}
	expect("the sixth to somebody who reads", reader, "131049")
	expect("after a restart, the second to somebody who does not read", other, "131049")
	c.advance(24 * time.Hour)
	expect("a day later", reader, "delivered")
	expect("a day later, to who does not read", other, "delivered")
	expect("a day later, the second to who does not read", other, "131049")
}

// Templates of a portfolio go out in batches, whatever template it is: the next one when people took the one before well; when
// they did not, what is held fails and the portfolio is under review for a day. Source: spec/limits.md section 5.
func TestPortfolioPacing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("sends hundreds of messages")
	}
	c := newCampaign(t, map[string]string{"ready": "UTILITY", "sent": "UTILITY"}, func(o *app.Options) { o.PaceBatch = 60 })
	batch := func(from int) (held []string) {
		t.Helper()
		for i := range 63 {
			name := []string{"ready", "sent"}[i%2]
			id, status := c.template(name, fmt.Sprintf("1555020%04d", from+i))
			want := "accepted"
			if i >= 60 {
				want, held = "held_for_quality_assessment", append(held, id)
			}
			if status != want {
				t.Fatalf("message %d of the batch from %d: %s, want %s", i+1, from, status, want)
			}
			c.advance(time.Second / 50)
		}
		c.idle()
		return held
	}
	held := batch(1000)
	c.down()
	c.up()
	c.idle()
	for _, id := range held {
		if _, ok := c.hooks.Find(id, "sent"); ok {
			t.Error("a held message was sent after a restart")
		}
	}
	c.advance(5 * time.Minute)
	c.idle()
	for _, id := range held {
		c.status(id, "delivered")
	}
	for i := range 60 {
		if _, status := c.template("ready", fmt.Sprintf("1555020%04d", 2000+i)); status != "accepted" {
			t.Fatalf("message %d of the second batch: %s", i+1, status)
		}
		c.advance(time.Second / 50)
	}
	id, status := c.template("ready", "15550202100")
	if status != "held_for_quality_assessment" {
		t.Fatalf("beyond the second batch: %s", status)
	}
	c.idle()
	for i := range 12 { // who got the other template last
		c.control("POST", fmt.Sprintf("users/1555020%04d/actions", 1001+2*i), map[string]string{"do": "report", "to": c.number})
	}
	c.idle()
	if got := c.ends(id); got != "132015" {
		t.Errorf("held when the number became RED: %s", got)
	}
	contains(t, "the account", string(c.control("GET", "wabas/"+c.start.WABA+"/enforcement", nil)), `"templates":true`)
	id, _ = c.template("ready", "15550202200")
	if got := c.ends(id); got != "131048" {
		t.Errorf("under review: %s", got)
	}
	a := c.graph("POST", c.start.WABA+"/message_templates", map[string]any{
		"name": "late", "language": "en_US", "category": "UTILITY", "components": []any{map[string]any{"type": "BODY", "text": "Words."}},
	})
	if a.Code() != 368 {
		t.Errorf("a template under review: %s", a.Body)
	}
}
