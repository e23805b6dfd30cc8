package bench

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Limits are what a platform must keep at a fixed rate. Source: docs/performance.md.
type Limits struct {
	AcceptP99  float64 `json:"accept_p99_ms"`
	WebhookP50 float64 `json:"webhook_p50_ms"`
	WebhookP99 float64 `json:"webhook_p99_ms"`
	CPU        float64 `json:"cpu"` // share of all cores; reported, not judged
}

// Targets of the reference machine, two cores, at 1,000 messages per second.
var Targets = Limits{AcceptP99: 20, WebhookP50: 20, WebhookP99: 200, CPU: 0.6}

// PlatformReport is the result of [Platform].
type PlatformReport struct {
	Verdict string   `json:"verdict"` // PASS or FAIL
	Reasons []string `json:"reasons"` // of a FAIL

	AskedMPS      float64 `json:"asked_mps"` // 0 means the maximum
	Reply         float64 `json:"reply"`
	Users         int     `json:"users"`
	Numbers       int     `json:"numbers"`
	Conversations int     `json:"conversations"`
	Level         int     `json:"number_level_mps"`
	Batch         int     `json:"webhook_batch"`
	Connections   int     `json:"connections"`
	Media         string  `json:"media,omitempty"`
	Fetches       int64   `json:"link_fetches,omitempty"`
	Cores         int     `json:"cores"`
	System        string  `json:"system"`

	Seconds      float64 `json:"seconds"` // of the load; of a search, of its last part
	DrainSeconds float64 `json:"drain_seconds"`
	Asked        int64   `json:"asked"`        // messages that were to be sent in that time
	Rate         float64 `json:"achieved_mps"` // accepted; of a search, with all their statuses
	Window       int     `json:"in_flight,omitempty"`
	Steps        []Step  `json:"steps,omitempty"`

	Tally     Tally         `json:"messages"` // of the whole run, without the warm-up
	Attempted int64         `json:"attempted"`
	Refused   map[int]int64 `json:"refused,omitempty"` // by error code
	Broken    int64         `json:"broken"`            // sends without an answer
	First     string        `json:"first_error,omitempty"`
	Starved   int64         `json:"held_by_pair_limit,omitempty"`

	Received       int64 `json:"inbound_expected"` // messages of users the platform took
	MissingInbound int64 `json:"missing_inbound"`
	Posts          int64 `json:"posts"`
	Checked        int64 `json:"signatures_checked"`
	Forged         int64 `json:"signatures_wrong"`
	Malformed      int64 `json:"malformed_posts"`

	Accept      Quantiles `json:"accept"` // from the instant a message was due
	Late        Quantiles `json:"generator_late"`
	ToSent      Quantiles `json:"webhook_sent"`      // from the accept answer to the answer of the webhook
	ToDelivered Quantiles `json:"webhook_delivered"` // the same
	ToRead      Quantiles `json:"webhook_read"`      // the same
	Buckets     []Bucket  `json:"accept_histogram"`

	CPU          float64   `json:"platform_cpu"` // share of all cores
	GeneratorCPU float64   `json:"generator_cpu"`
	OtherCPU     float64   `json:"other_cpu"` // what else ran on the machine
	PeakRSS      int64     `json:"platform_rss_peak_bytes"`
	EndRSS       int64     `json:"platform_rss_end_bytes"`
	Baseline     *Baseline `json:"baseline,omitempty"`
	Limits       Limits    `json:"targets"`
}

func newReport(o *PlatformOptions) *PlatformReport {
	return &PlatformReport{
		AskedMPS: o.MPS, Reply: o.Reply, Users: o.Users, Numbers: o.Numbers, Batch: o.Batch, Connections: o.Connections, Media: o.Media,
		Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH + " " + runtime.Version(), Limits: Targets,
	}
}

// finish takes the counts over and judges them. received is what the platform counted of its users' messages.
func (r *run) finish(received int64) {
	p, l := r.report, r.load
	p.Tally = l.ledger.Tally()
	var first error
	if p.Refused, p.Broken, first = l.failures(); first != nil {
		p.First = first.Error()
	}
	p.Attempted, p.Starved = l.attempted.Load(), l.starved.Load()
	p.Received, p.MissingInbound = received, max(0, received-p.Tally.Inbound)
	p.Posts, p.Checked = r.receiver.posts.Load()-r.before.posts, r.receiver.checked.Load()-r.before.checked
	p.Forged, p.Malformed = r.receiver.forged.Load(), r.receiver.malformed.Load()
	p.Accept, p.Late, p.Buckets = l.accept.Quantiles(), l.late.Quantiles(), l.accept.Buckets()
	p.ToSent, p.ToDelivered, p.ToRead = l.ledger.toSent.Quantiles(), l.ledger.toDelivered.Quantiles(), l.ledger.toRead.Quantiles()
	p.judge()
	if r.origin != nil {
		if p.Fetches = r.origin.hits.Load(); p.Fetches > r.origin.due() {
			p.Reasons = append(p.Reasons, thousands(p.Fetches)+" fetches of one link")
			p.Verdict = verdict(p.Reasons)
		}
	}
}

// judge compares with the targets. Latencies of a search depend on how much is on its way and are not judged.
func (p *PlatformReport) judge() {
	p.Reasons = []string{}
	fail := func(bad bool, format string, args ...any) {
		if bad {
			p.Reasons = append(p.Reasons, fmt.Sprintf(format, args...))
		}
	}
	t := &p.Tally
	fail(t.Accepted == 0, "no message was accepted")
	fail(t.Missing() > 0, "%s statuses are missing", thousands(t.Missing()))
	fail(p.MissingInbound > 0, "%s messages of users are missing", thousands(p.MissingInbound))
	fail(t.Doubled > 0, "%s events came twice", thousands(t.Doubled))
	fail(t.Strangers > 0, "%s messages have statuses whose send was never answered", thousands(t.Strangers))
	fail(t.Failed > 0, "%s messages failed", thousands(t.Failed))
	fail(p.Broken > 0, "%s sends got no answer", thousands(p.Broken))
	for _, code := range slices.Sorted(maps.Keys(p.Refused)) {
		fail(true, "%s sends were refused with %d", thousands(p.Refused[code]), code)
	}
	fail(p.Forged > 0, "%s signatures are wrong", thousands(p.Forged))
	fail(p.Malformed > 0, "%s webhooks cannot be read", thousands(p.Malformed))
	if p.AskedMPS > 0 {
		fail(p.Attempted < p.Asked, "only %s of %s messages could be sent in time", thousands(p.Attempted), thousands(p.Asked))
		fail(p.Accept.P99 > p.Limits.AcceptP99, "accept p99 is %s ms, target %s ms", number(p.Accept.P99), number(p.Limits.AcceptP99))
		fail(p.ToSent.P50 > p.Limits.WebhookP50, "webhook p50 is %s ms, target %s ms", number(p.ToSent.P50), number(p.Limits.WebhookP50))
		fail(p.ToSent.P99 > p.Limits.WebhookP99, "webhook p99 is %s ms, target %s ms", number(p.ToSent.P99), number(p.Limits.WebhookP99))
	}
	p.Verdict = verdict(p.Reasons)
}

func verdict(reasons []string) string {
	if len(reasons) > 0 {
		return "FAIL"
	}
	return "PASS"
}

// Passed reports the verdict.
func (p *PlatformReport) Passed() bool { return p.Verdict == "PASS" }

// page is text with rows of a name and a value; the first error of the writer stays.
type page struct {
	w   io.Writer
	err error
}

func (p *page) row(name, format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, "  %-20s %s\n", name, fmt.Sprintf(format, args...))
	}
}

func (p *page) line(text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, text+"\n")
	}
}

func (p *page) latency(name string, q Quantiles) {
	p.row(name, "p50 %-8s p90 %-8s p99 %-8s p99.9 %-8s max %s ms", number(q.P50), number(q.P90), number(q.P99), number(q.P999), number(q.Max))
}

func (p *page) verdict(v string, reasons []string) {
	p.line("\n  " + v)
	for _, r := range reasons {
		p.line("    " + r)
	}
}

const mib = 1 << 20

// Write writes the report for people.
func (p *PlatformReport) Write(w io.Writer) error {
	out := &page{w: w}
	out.line("")
	p.writeLoad(out)
	t := &p.Tally
	out.row("accepted", "%s of %s sent%s", thousands(t.Accepted), thousands(p.Attempted), p.refusals())
	out.row("statuses", "%s sent, %s delivered, %s read, %s failed", thousands(t.Sent), thousands(t.Delivered), thousands(t.Read), thousands(t.Failed))
	out.row("messages of users", "%s of %s", thousands(t.Inbound), thousands(p.Received))
	out.row("missing, doubled", "%s, %s", thousands(t.Missing()+p.MissingInbound), thousands(t.Doubled))
	out.row("webhooks", "%s POSTs (at most %d updates each); %s signatures checked, %s wrong", thousands(p.Posts), p.Batch, thousands(p.Checked), thousands(p.Forged))
	out.line("")
	out.latency("accept", p.Accept)
	out.latency("generator late", p.Late)
	out.latency("webhook sent", p.ToSent)
	out.latency("webhook delivered", p.ToDelivered)
	out.latency("webhook read", p.ToRead)
	out.line("")
	out.row("processor", "platform %s, generator %s, everything else %s of %d cores (target for the platform: %s)",
		percent(p.CPU), percent(p.GeneratorCPU), percent(p.OtherCPU), p.Cores, percent(p.Limits.CPU))
	out.row("memory", "peak %d MiB, at the end %d MiB", p.PeakRSS/mib, p.EndRSS/mib)
	p.writeBaseline(out)
	out.line("\n  Accept latency counts from the instant a message was due, webhook latency from the accept answer to the\n" +
		"  receiver's answer. A webhook that overtook the accept answer counts as 0.\n")
	if out.err == nil {
		out.err = Chart(w, p.Buckets)
	}
	if p.First != "" {
		out.row("first error", "%s", p.First)
	}
	out.verdict(p.Verdict, p.Reasons)
	return out.err
}

func (p *PlatformReport) writeLoad(out *page) {
	what := "maximum"
	if p.AskedMPS > 0 {
		what = number(p.AskedMPS) + " messages/s"
	}
	out.row("load", "%s, %s replies, %s users, %d numbers of %s messages/s, %d connections", what, percent(p.Reply), thousands(int64(p.Users)), p.Numbers, thousands(int64(p.Level)), p.Connections)
	switch p.Media {
	case MediaID:
		out.row("media", "the same picture by id")
	case MediaLink:
		out.row("media", "the same picture by link, fetched %s times", thousands(p.Fetches))
	}
	if p.AskedMPS > 0 {
		out.row("rate", "%.1f messages/s accepted over %.1f s, everything in after another %.1f s", p.Rate, p.Seconds, p.DrainSeconds)
		return
	}
	var steps []string
	for _, s := range p.Steps {
		steps = append(steps, strconv.Itoa(s.Window)+": "+thousands(int64(s.Rate)))
	}
	out.row("search", "messages/s by messages in flight: %s", strings.Join(steps, ", "))
	out.row("rate", "%s messages/s with all statuses over %.1f s, %d in flight", thousands(int64(p.Rate)), p.Seconds, p.Window)
	if p.Starved > 0 {
		out.row("held back", "%s sends waited for the pair rate limit: give more --users", thousands(p.Starved))
	}
}

func (p *PlatformReport) writeBaseline(out *page) {
	if p.Baseline == nil {
		return
	}
	updates := p.Rate * (3 + p.Reply)
	out.row("bare machine", "plain handler %s requests/s: this run is %s of it", thousands(int64(p.Baseline.Handler)), percent(p.Rate/p.Baseline.Handler))
	out.row("", "signed sender %s POSTs/s: %s updates/s are %s of it", thousands(int64(p.Baseline.Sender)), thousands(int64(updates)), percent(updates/p.Baseline.Sender))
}

func (p *PlatformReport) refusals() string {
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(p.Refused)) {
		parts = append(parts, fmt.Sprintf("%s refused with %d", thousands(p.Refused[code]), code))
	}
	if p.Broken > 0 {
		parts = append(parts, thousands(p.Broken)+" without an answer")
	}
	if parts == nil {
		return ", none refused"
	}
	return ", " + strings.Join(parts, ", ")
}
