package flow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Action of an exchange. Source: spec/flows.md section 8.2.
type Action string

// The actions. Pings come from the platform only.
const (
	Ping         Action = "ping"
	Init         Action = "INIT"
	DataExchange Action = "data_exchange"
	Back         Action = "BACK"
)

// Step is one question to the endpoint of a flow, on behalf of a user.
type Step struct {
	Flow   wa.FlowID
	Number wa.PhoneNumberID // that sent the message: its key encrypts
	Draft  bool             // the message opened the draft
	Action Action
	Screen string
	Data   json.RawMessage // a JSON object; nil for none
	Token  string          // flow_token
	// Unsigned keeps flow_token_signature from the endpoint: nobody knows that the user was sent the token.
	Unsigned bool
}

// Kind of a failed exchange. Those that count as errors of the endpoint are named as metrics and webhooks name them.
type Kind string

// The kinds. Source: spec/flows.md sections 6 and 8.3; the names of all but the first are ours.
const (
	Timeout      Kind = "timeout_error"
	NoConnection Kind = "connection_error"
	BadStatus    Kind = "http_status_error"
	Undecrypted  Kind = "decryption_error" // 421 twice, or an answer that does not open
	BadSignature Kind = "signature_error"  // 432
	BadAnswer    Kind = "response_error"   // it opens, and is not what was asked for
)

// What the endpoint has nothing to do with.
const (
	TokenOver Kind = "flow_token" // 427: the flow token is no longer valid
	Closed    Kind = "closed"     // the flow cannot be opened
	NotReady  Kind = "not_ready"  // no endpoint, key or app
	Busy      Kind = "busy"       // too many at once
)

// ExchangeError says why a step failed.
type ExchangeError struct {
	Kind    Kind
	Message string // of TokenOver: what the business says to the user
	cause   error
}

// Error implements error; the text is for logs.
func (e *ExchangeError) Error() string {
	if e.cause != nil {
		return "flow exchange: " + string(e.Kind) + ": " + e.cause.Error()
	}
	return "flow exchange: " + string(e.Kind)
}

// Unwrap returns the cause.
func (e *ExchangeError) Unwrap() error { return e.cause }

func failed(k Kind, cause error) *ExchangeError { return &ExchangeError{Kind: k, cause: cause} }

// Bounds of exchanges (ours).
const (
	maxBusy    = 256       // at once
	maxBusyOne = 32        // at once of one flow, so that a slow endpoint leaves room to the others
	maxStep    = 256 << 10 // bytes of the data of a step
	maxAnswer  = 2 << 20   // bytes of an answer, in base64
	maxMessage = 1024      // bytes of what comes with 427
)

// question is what an endpoint decrypts.
type question struct {
	Version   string          `json:"version"`
	Action    Action          `json:"action"`
	Screen    string          `json:"screen,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	Token     string          `json:"flow_token,omitempty"`
	Signature string          `json:"flow_token_signature,omitempty"`
	unsigned  bool
}

// Exchange asks the endpoint and returns its answer, a JSON object with screen and data. It takes ten seconds at most, twice when the
// endpoint asks for another key. Errors: [*ExchangeError], and those of ctx. Source: spec/flows.md section 8.
func (s *Service) Exchange(ctx context.Context, st Step) (json.RawMessage, error) {
	f, ok := s.Flow(st.Flow)
	if !ok {
		return nil, failed(Closed, ErrUnknown)
	}
	r := &f.Live
	if st.Draft {
		r = &f.Draft
	}
	switch {
	case !r.Exists(), f.Status == Blocked:
		return nil, failed(Closed, ErrState)
	case f.Status == Deprecated && st.Action == Init: // sessions that run may end
		return nil, failed(Closed, ErrState)
	case !r.Talks() || f.endpoint(r) == "":
		return nil, failed(NotReady, errors.New("the flow has no endpoint"))
	case len(st.Data) > maxStep:
		return nil, failed(BadAnswer, errors.New("the data is too long"))
	}
	leave, ok := s.enter(f.ID)
	if !ok {
		return nil, failed(Busy, nil)
	}
	defer leave()
	began := s.o.Wall.Now()
	answer, err := s.ask(ctx, f, r, st.Number, question{
		Version: r.DataAPI, Action: st.Action, Screen: st.Screen, Data: st.Data, Token: st.Token, unsigned: st.Unsigned,
	})
	if err != nil && ctx.Err() != nil {
		return nil, err // the user went away: that says nothing of the endpoint
	}
	if st.Draft { // how tests go says nothing of what is published
		return answer, err
	}
	s.observe(ctx, f.ID, call{at: s.o.Clock.Now(), took: s.o.Wall.Now().Sub(began), kind: kindOf(err), client: notifies(st.Data)})
	return answer, err
}

// enter takes a place among the exchanges under way, of all flows and of this one.
func (s *Service) enter(id wa.FlowID) (leave func(), ok bool) {
	one := s.endpointOf(id)
	if one.busy.Add(1) > maxBusyOne {
		one.busy.Add(-1)
		return nil, false
	}
	if s.busy.Add(1) > maxBusy {
		s.busy.Add(-1)
		one.busy.Add(-1)
		return nil, false
	}
	return func() { s.busy.Add(-1); one.busy.Add(-1) }, true
}

// kindOf is how a call failed; empty when it did not.
func kindOf(err error) Kind {
	if e, ok := errors.AsType[*ExchangeError](err); ok {
		return e.Kind
	}
	return ""
}

// notifies reports whether a step tells the endpoint of an error in the user's client. Source: spec/flows.md section 8.2.
func notifies(data json.RawMessage) bool {
	if !bytes.Contains(data, []byte(`"error"`)) {
		return false
	}
	var v struct {
		Error json.RawMessage `json:"error"`
	}
	return json.Unmarshal(data, &v) == nil && v.Error != nil
}

// ask is one question and its answer. It returns a nil answer with every error.
func (s *Service) ask(ctx context.Context, f *Flow, r *Revision, number wa.PhoneNumberID, q question) (json.RawMessage, error) {
	if s.checkURL(f.endpoint(r)) != nil { // a document before 3.0 names any
		return nil, failed(NotReady, errors.New("the address of the endpoint is not allowed"))
	}
	secret, ok := s.o.Secrets.AppSecret(f.App)
	if !ok {
		return nil, failed(NotReady, errors.New("no app is connected"))
	}
	if q.Version == "4.0" && q.Token != "" && !q.unsigned {
		q.Signature = signToken(secret, q.Token, s.o.Clock.Now().Unix())
	}
	plain, err := json.Marshal(q)
	if err != nil {
		return nil, failed(BadAnswer, err)
	}
	var answer []byte
	for range 2 { // 421 asks for the key that is valid now
		answer, err = s.send(ctx, f.endpoint(r), s.o.Accounts.Key(number), secret, plain)
		if !errors.Is(err, errStaleKey) {
			break
		}
	}
	if err == nil {
		err = wellFormed(q.Action, answer)
	}
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// errStaleKey is 421.
var errStaleKey = errors.New("the endpoint cannot decrypt")

// send posts one encrypted question. Every error but those of ctx is an [*ExchangeError].
func (s *Service) send(ctx context.Context, url, key, secret string, plain []byte) ([]byte, error) {
	if key == "" {
		return nil, failed(NotReady, errors.New("the number has no encryption key"))
	}
	body, opener, err := encrypt(key, plain)
	if err != nil {
		return nil, failed(NotReady, err)
	}
	limited, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, failed(NoConnection, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "facebookexternalua")
	req.Header.Set("X-Hub-Signature-256", signature(secret, body))
	res, err := s.o.Transport.RoundTrip(req)
	if err != nil {
		return nil, s.unreached(ctx, limited, err)
	}
	defer res.Body.Close()
	return s.answered(ctx, limited, res, opener)
}

// answered reads what the endpoint said. Source: spec/flows.md section 8.3.
func (s *Service) answered(ctx, limited context.Context, res *http.Response, opener *secret) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, s.unreached(ctx, limited, err)
	}
	switch res.StatusCode {
	case http.StatusOK:
	case 421:
		return nil, failed(Undecrypted, errStaleKey)
	case 427:
		var said struct {
			Text string `json:"error_msg"`
		}
		if len(b) > maxMessage || json.Unmarshal(b, &said) != nil {
			said.Text = ""
		}
		return nil, &ExchangeError{Kind: TokenOver, Message: said.Text}
	case 432:
		return nil, failed(BadSignature, nil)
	default:
		return nil, failed(BadStatus, fmt.Errorf("HTTP status %d", res.StatusCode))
	}
	if len(b) > maxAnswer {
		return nil, failed(BadAnswer, errors.New("the answer is too long"))
	}
	plain, err := opener.open(bytes.TrimSpace(b))
	if err != nil {
		return nil, failed(Undecrypted, err)
	}
	return plain, nil
}

// unreached says why there was no answer: limited is ctx with the endpoint's time.
func (s *Service) unreached(ctx, limited context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("flow exchange: %w", context.Cause(ctx))
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		return failed(Timeout, err)
	}
	return failed(NoConnection, err)
}

// wellFormed says whether an answer is what the action asks for.
func wellFormed(a Action, answer []byte) error {
	var v struct {
		Screen *string                    `json:"screen"`
		Data   map[string]json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(answer, &v); err != nil {
		return failed(BadAnswer, err)
	}
	switch {
	case a == Ping && string(v.Data["status"]) != `"active"`:
		return failed(BadAnswer, errors.New("the answer to a ping is not {\"data\":{\"status\":\"active\"}}"))
	case a != Ping && v.Screen == nil && v.Data == nil:
		return failed(BadAnswer, errors.New("the answer names no screen"))
	}
	return nil
}

// ping asks whether the endpoint lives. It is not counted as a request.
func (s *Service) ping(ctx context.Context, f *Flow, r *Revision, number wa.PhoneNumberID) error {
	version := r.DataAPI
	if version == "" {
		version = "3.0"
	}
	_, err := s.ask(ctx, f, r, number, question{Version: version, Action: Ping})
	return err
}

// pingFault is why a ping failed, for people: nothing of addresses.
func pingFault(err error) string {
	e, ok := errors.AsType[*ExchangeError](err)
	if !ok {
		return "it could not be asked"
	}
	switch e.Kind {
	case Timeout:
		return "it did not answer in time"
	case NoConnection:
		return "it could not be reached"
	case Undecrypted:
		return "request or answer could not be decrypted"
	case BadSignature:
		return "it refused the signature"
	case BadAnswer:
		return "the answer to the ping was not the expected one"
	case BadStatus:
		return e.cause.Error()
	case NotReady, Closed, Busy, TokenOver:
	}
	return "it could not be asked"
}
