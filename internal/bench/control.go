package bench

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Target is a platform and the starter resources of it; `hikyaku env` prints all of it. Its server and its operator port
// speak plain HTTP.
type Target struct {
	BaseURL, ControlURL, Version, Token                     string
	AppID, AppSecret, VerifyToken, WABAID, NumberID, Number string // Number is its phone number
}

// TargetOf reads a target from the variables of `hikyaku env`.
func TargetOf(env map[string]string) Target {
	return Target{
		BaseURL: strings.TrimSuffix(env["BASE_URL"], "/"), ControlURL: strings.TrimSuffix(env["CONTROL_URL"], "/"),
		Version: cmp.Or(env["GRAPH_VERSION"], "v23.0"), Token: env["TOKEN"], AppID: env["APP_ID"], AppSecret: env["APP_SECRET"],
		VerifyToken: env["VERIFY_TOKEN"], WABAID: env["WABA_ID"], NumberID: env["PHONE_NUMBER_ID"],
		Number: plain(env["DISPLAY_PHONE_NUMBER"]),
	}
}

// plain leaves the digits of a phone number.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

func (t *Target) check() error {
	var missing []string
	for _, v := range []struct{ name, value string }{
		{"BASE_URL", t.BaseURL},
		{"CONTROL_URL", t.ControlURL},
		{"TOKEN", t.Token},
		{"APP_ID", t.AppID},
		{"APP_SECRET", t.AppSecret},
		{"VERIFY_TOKEN", t.VerifyToken},
		{"WABA_ID", t.WABAID},
		{"PHONE_NUMBER_ID", t.NumberID},
		{"DISPLAY_PHONE_NUMBER", t.Number},
	} {
		if v.value == "" {
			missing = append(missing, v.name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the platform's variables lack %s", strings.Join(missing, ", "))
	}
	return nil
}

// operator calls the Graph API and the control API for everything that is not load.
type operator struct {
	t Target
	c *http.Client
}

// subscribe points the app's webhooks at a receiver and connects the app to the WABA.
func (o *operator) subscribe(ctx context.Context, callback string) error {
	form := url.Values{
		"object": {"whatsapp_business_account"}, "callback_url": {callback}, "verify_token": {o.t.VerifyToken}, "fields": {"messages"},
	}
	base := o.t.BaseURL + "/" + o.t.Version + "/"
	if err := o.form(ctx, base+o.t.AppID+"/subscriptions", o.t.AppID+"|"+o.t.AppSecret, form); err != nil {
		return fmt.Errorf("subscribe app: %w", err)
	}
	if err := o.form(ctx, base+o.t.WABAID+"/subscribed_apps", o.t.Token, nil); err != nil {
		return fmt.Errorf("connect app to account: %w", err)
	}
	return nil
}

func (o *operator) form(ctx context.Context, address, token string, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, err = o.do(req)
	return err
}

// control posts to the control API; out may be nil.
func (o *operator) control(ctx context.Context, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.t.ControlURL+"/control/v1/"+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if b, err = o.do(req); err != nil {
		return fmt.Errorf("control API, %s: %w", path, err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("control API, %s: %w", path, err)
	}
	return nil
}

const maxOperatorAnswer = 8 << 20

func (o *operator) do(req *http.Request) ([]byte, error) {
	res, err := o.c.Do(req)
	if err != nil {
		if cause := context.Cause(req.Context()); cause != nil {
			return nil, cause
		}
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxOperatorAnswer))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d: %s", res.StatusCode, bytes.TrimSpace(b))
	}
	return b, nil
}

// behaviour of the virtual users, see docs/control.md.
type behaviour struct {
	ReadRate  float64 `json:"read_rate"`
	ReplyRate float64 `json:"reply_rate"`
	ReplyText string  `json:"reply_text,omitempty"`
}

// usersAtOnce bounds how long a single call takes.
const usersAtOnce = 1000

// createUsers makes n users that read every message at once, as a status of its own, and answer a share of them. It returns
// their wa_ids. Users that exist get the behaviour.
func (o *operator) createUsers(ctx context.Context, n int, reply float64, progress func(done int)) ([]string, error) {
	users := make([]string, 0, n)
	for block := 0; len(users) < n; block++ {
		count := min(usersAtOnce, n-len(users))
		prefix := "1650" + fmt.Sprintf("%04d", block)
		var made struct {
			Created int    `json:"created"`
			First   string `json:"first"`
			Last    string `json:"last"`
		}
		err := o.control(ctx, "users", map[string]any{
			"prefix": prefix, "count": count, "behaviour": behaviour{ReadRate: 1, ReplyRate: reply, ReplyText: "Thank you, that helps."},
		}, &made)
		if err != nil {
			return nil, fmt.Errorf("create users: %w", err)
		}
		first, err := strconv.ParseInt(made.First, 10, 64)
		if err != nil || made.Created != count || made.Last != strconv.FormatInt(first+int64(count)-1, 10) {
			return nil, fmt.Errorf("create users: asked for %d and got %s to %s", count, made.First, made.Last)
		}
		for i := range int64(count) {
			users = append(users, strconv.FormatInt(first+i, 10))
		}
		progress(len(users))
	}
	return users, nil
}

// line is a business number.
type line struct {
	ID   string `json:"id"`
	WaID string `json:"wa_id"`
}

// lines are n numbers that may send mps messages per second each: the starter number first, others are made.
func (o *operator) lines(ctx context.Context, n, mps int) ([]line, error) {
	out := []line{{ID: o.t.NumberID, WaID: o.t.Number}}
	for i := 1; i < n; i++ {
		var l line
		in := map[string]string{"phone": "+1415555" + fmt.Sprintf("%04d", i), "name": "Bench " + strconv.Itoa(i)}
		if err := o.control(ctx, "numbers", in, &l); err != nil {
			return nil, fmt.Errorf("create number: %w", err)
		}
		out = append(out, l)
	}
	for _, l := range out {
		err := o.control(ctx, "numbers/"+l.ID+"/throughput", map[string]any{"level": "HIGH", "mps": mps}, nil)
		if err != nil {
			return nil, fmt.Errorf("raise number %s: %w", l.ID, err)
		}
	}
	return out, nil
}

// idle waits until nothing is in flight in the platform.
func (o *operator) idle(ctx context.Context, most time.Duration) error {
	return o.control(ctx, "idle", map[string]string{"timeout": most.String()}, nil)
}

// metrics reads the platform's counters by name with labels.
func (o *operator) metrics(ctx context.Context) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.t.ControlURL+"/metrics", http.NoBody)
	if err != nil {
		return nil, err
	}
	b, err := o.do(req)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	return parseMetrics(b), nil
}

// parseMetrics reads lines of Prometheus text: a name, perhaps labels, a value.
func parseMetrics(text []byte) map[string]float64 {
	m := map[string]float64{}
	for l := range bytes.Lines(text) {
		l = bytes.TrimSpace(l)
		i := bytes.LastIndexByte(l, ' ')
		if i < 0 || l[0] == '#' {
			continue
		}
		if v, err := strconv.ParseFloat(string(l[i+1:]), 64); err == nil {
			m[string(l[:i])] = v
		}
	}
	return m
}

// Metrics of the platform that the bench reads.
const (
	metricReceived = "hikyaku_messages_received_total"
	metricCPU      = "process_cpu_seconds_total"
	metricRSS      = "process_resident_memory_bytes"
)

var errNoMetric = errors.New("the platform does not export it")

// received is how many messages of users the platform has counted since it started.
func (o *operator) received(ctx context.Context) (int64, error) {
	m, err := o.metrics(ctx)
	if err != nil {
		return 0, err
	}
	v, ok := m[metricReceived]
	if !ok {
		return 0, fmt.Errorf("read %s: %w", metricReceived, errNoMetric)
	}
	return int64(v), nil
}

// FindTarget describes a platform that runs already, by its addresses. The rest comes from its data directory, read with
// `program env`, or with an empty dir from variables of the environment.
func FindTarget(ctx context.Context, program, dir, server, control string, getenv func(string) string) (Target, error) {
	env := map[string]string{}
	if dir == "" {
		for _, k := range []string{
			"BASE_URL", "TOKEN", "GRAPH_VERSION", "APP_ID", "APP_SECRET", "VERIFY_TOKEN", "WABA_ID", "PHONE_NUMBER_ID",
			"DISPLAY_PHONE_NUMBER", "CONTROL_URL",
		} {
			env[k] = getenv(k)
		}
	} else {
		var err error
		if env, err = readEnv(ctx, program, dir); err != nil {
			return Target{}, err
		}
	}
	env["BASE_URL"] = cmp.Or(server, env["BASE_URL"])
	env["CONTROL_URL"] = cmp.Or(control, env["CONTROL_URL"])
	t := TargetOf(env)
	return t, t.check()
}
