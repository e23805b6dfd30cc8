package app_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/test/child"
)

// restarts is how many times the timeline is played with restarts at other moments.
var restarts = flag.Int("restarts", 1, "play the windows so many times, each with a restart at another moment of each")

// span is a window of a limit: what happens in it, by time since its begin, and what must have come out at each moment for
// the window to have been one.
type span struct {
	name  string
	begin time.Duration // on the timeline
	steps []moment
}

type moment struct {
	at   time.Duration
	want string // outcome
	do   func(w *windows) string
}

// windows are one platform on which a timeline is played.
type windows struct {
	*stand
	ids   map[string]string // of numbers and templates, by a name of ours
	wamid map[string]string // of messages
	down  bool              // the receiver refuses
}

// event is a step on the timeline.
type event struct {
	at   time.Duration
	span string
	nth  int
	moment
}

// A restart in the middle of a window changes nothing: every window of every limit is played with a stop and a start of the
// platform at a random moment of it, and comes out as one without. Budgets of management calls are the exception: they are
// memory (docs/divergences.md), see TestBudgetsBeginAnew.
func TestRestartInEveryWindow(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the platform fourteen times")
	}
	t.Parallel()
	spans := slices.Concat(spansOfNumbers(), spansOfPeople(), spansOfPortfolios())
	var line []event
	for _, s := range spans {
		for i, m := range s.steps {
			line = append(line, event{s.begin + m.at, s.name, i, m})
		}
	}
	slices.SortStableFunc(line, func(a, b event) int { return int(a.at - b.at) })
	for range *restarts {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		// In every window one gap between two of its steps has a restart.
		stops := map[time.Duration]string{}
		for _, s := range spans {
			var gaps []int
			for i := 1; i < len(s.steps); i++ {
				if s.steps[i].at > s.steps[i-1].at+ms {
					gaps = append(gaps, i)
				}
			}
			i := gaps[rng.IntN(len(gaps))]
			from, to := s.begin+s.steps[i-1].at, s.begin+s.steps[i].at
			stops[from+time.Duration(1+rng.Int64N(int64((to-from)/ms)-1))*ms] = s.name
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			play(t, line, stops)
		})
	}
}

func play(t *testing.T, line []event, stops map[time.Duration]string) {
	w := &windows{ids: map[string]string{}, wamid: map[string]string{}}
	w.stand = prepare(t, func(o *app.Options) { o.PaceAfter = 2 })
	w.hooks.Fault = func() child.Fault {
		if w.down {
			return child.Refuse
		}
		return child.None
	}
	w.up()
	w.subscribe()
	w.settle()
	now := time.Duration(0)
	until := func(at time.Duration) {
		if at > now {
			w.advance(at - now)
			now = at
		}
	}
	var times []time.Duration
	for at := range stops {
		times = append(times, at)
	}
	slices.Sort(times)
	for _, e := range line {
		for len(times) > 0 && times[0] < e.at {
			until(times[0])
			w.idle()
			w.stand.down()
			w.up()
			w.idle()
			times = times[1:]
		}
		if e.at > now {
			until(e.at)
			w.idle() // what is due by the clock
		}
		if got := e.do(w); got != e.want {
			t.Errorf("%s, step %d at %v: %s, want %s", e.span, e.nth+1, e.at, got, e.want)
		}
	}
	if len(times) > 0 {
		t.Errorf("%d restarts were not made", len(times))
	}
}

// settle makes what the windows need.
func (w *windows) settle() {
	w.t.Helper()
	for i, name := range []string{"throughput", "registration", "restricted", "level", "live"} {
		w.ids[name] = decode[struct{ ID string }](w.t, w.control("POST", "numbers", map[string]any{
			"phone": fmt.Sprintf("1555079%04d", i+1), "name": "Aozora " + name, "live": name == "live" || name == "level",
		})).ID
	}
	w.ids["first"] = w.start.Number
	w.control("POST", "portfolios/"+w.start.Business, map[string]string{"verification": "verified"}) // twenty numbers
	w.control("POST", "portfolios/"+w.start.Business+"/limit", map[string]any{"tier": "TIER_250", "users": 3})
	for _, x := range []struct{ name, category string }{{"parcel", "UTILITY"}, {"brief", "UTILITY"}, {"bad", "MARKETING"}, {"offer", "MARKETING"}, {"new", "MARKETING"}} {
		body := map[string]any{
			"name": x.name, "language": "en_US", "category": x.category,
			"components": []any{map[string]any{"type": "BODY", "text": "A word about the " + x.name + " one."}},
		}
		if x.name == "brief" {
			body["message_send_ttl_seconds"] = 3600
		}
		w.ids[x.name] = decode[struct{ ID string }](w.t, w.graph("POST", w.start.WABA+"/message_templates", body).Body).ID
		if w.ids[x.name] == "" {
			w.t.Fatalf("no template %s", x.name)
		}
	}
	w.advance(3 * time.Second)
	w.idle()
	w.control("POST", "templates/"+w.ids["offer"]+"/quality", map[string]string{"score": "GREEN"}) // it is not paced
	w.idle()
}

// text and template send from a number to a person, and say what became of it at once: "refused CODE", "failed CODE", the
// last status, or "waits".
func text(number, to string) func(*windows) string {
	return func(w *windows) string { return w.sends(number, child.Text(to, "x"), "") }
}

func template(number, to, name string) func(*windows) string {
	return func(w *windows) string { return w.sends(number, w.templated(to, name), "") }
}

// kept is a template whose message is asked about later by its name.
func kept(number, to, name, as string) func(*windows) string {
	return func(w *windows) string { return w.sends(number, w.templated(to, name), as) }
}

func (w *windows) templated(to, name string) map[string]any {
	return map[string]any{
		"messaging_product": "whatsapp", "to": to, "type": "template",
		"template": map[string]any{"name": name, "language": map[string]string{"code": "en_US"}},
	}
}

func (w *windows) sends(number string, body map[string]any, as string) string {
	w.t.Helper()
	a := w.graph("POST", w.ids[number]+"/messages", body)
	if a.Status != 200 {
		return fmt.Sprintf("refused %d", a.Code())
	}
	if as != "" {
		w.wamid[as] = a.MessageID()
	}
	w.idle()
	return w.became(a.MessageID())
}

// becomes asks later.
func becomes(as string) func(*windows) string {
	return func(w *windows) string {
		w.idle()
		return w.became(w.wamid[as])
	}
}

var codeOf = regexp.MustCompile(`"errors":\[\{"code":(\d+)`)

func (w *windows) became(id string) string {
	if u, ok := w.hooks.Find(id, "failed"); ok {
		return "failed " + codeOf.FindStringSubmatch(u.Content)[1]
	}
	for _, status := range []string{"read", "delivered", "sent"} {
		if _, ok := w.hooks.Find(id, status); ok {
			return status
		}
	}
	return "waits"
}

// priced sends a text and says what kind of price it has.
func priced(number, to string) func(*windows) string {
	return func(w *windows) string {
		a := w.graph("POST", w.ids[number]+"/messages", w.templated(to, "parcel"))
		w.idle()
		u, ok := w.hooks.Find(a.MessageID(), "sent")
		if !ok {
			return w.became(a.MessageID())
		}
		_, rest, _ := strings.Cut(u.Content, `"pricing_model":"PMP","type":"`)
		kind, _, _ := strings.Cut(rest, `"`)
		return kind
	}
}

// does calls the control API, and answers "ok".
func does(method, path string, body any) func(*windows) string {
	return func(w *windows) string {
		for name, id := range w.ids {
			path = strings.ReplaceAll(path, "{"+name+"}", id)
		}
		w.control(method, strings.ReplaceAll(path, "{business}", w.start.Business), body)
		w.idle()
		return "ok"
	}
}

// calls the Graph API, and answers the code, 0 for a success.
func calls(method, path string, body any) func(*windows) string {
	return func(w *windows) string {
		p := path
		for name, id := range w.ids {
			p = strings.ReplaceAll(p, "{"+name+"}", id)
		}
		return fmt.Sprint(w.graph(method, p, body).Code())
	}
}
