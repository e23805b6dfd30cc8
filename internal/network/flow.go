package network

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Flows reads flows and asks their endpoints for devices. The hub has checked the grant: the user was sent the flow by the
// number. An *frame.Error is passed on to the device: ErrNotFound for a flow that cannot be opened, ErrFlowOver when the
// endpoint says that the token is no longer valid, ErrFlowFailed when it fails, ErrBusy. Other errors become ErrBusy.
type Flows interface {
	// Flow is the Flow JSON.
	Flow(ctx context.Context, of FlowRef) ([]byte, error)
	// Step asks the endpoint. The answer's data is an object.
	Step(ctx context.Context, of FlowRef, st *frame.FlowStep) (*frame.FlowAnswer, error)
}

// FlowRef is a flow as a device reaches it.
type FlowRef struct {
	User  wa.WaID
	From  wa.WaID // the business number that sent it
	Flow  string  // its id
	Draft bool    // the message opens the draft
}

// Grants makes and checks what lets a user open a flow. A grant is computed from what it stands for and not kept.
type Grants struct{ key []byte }

// NewGrants makes Grants under a secret key, which must stay the same as long as messages live.
func NewGrants(key []byte) *Grants { return &Grants{key} }

// The first letter of a grant says which revision of the flow it opens.
const (
	grantLive  = "l"
	grantDraft = "d"
)

// grantPart is how many bytes of a sum a grant carries: 24 characters.
const grantPart = 18

// Grant is what a message that opens a flow under a flow_token carries: the mode, a sum of the token, which the user knows
// anyway, and a MAC over both and the rest.
func (g *Grants) Grant(of FlowRef, token string) string {
	return g.seal(of, digest(token))
}

// digest is the sum of a token; devices leave out the one that stands for none.
func digest(token string) string {
	sum := sha256.Sum256([]byte(cmp.Or(token, noToken)))
	return base64.RawURLEncoding.EncodeToString(sum[:grantPart])
}

// noToken is the flow_token of messages that give none. Source: spec/messages.md section 10.6.
const noToken = "unused"

// holds reports whether the grant is one for the flow, whatever the token.
func (g *Grants) holds(of FlowRef, grant string) bool {
	token := ""
	if size := base64.RawURLEncoding.EncodedLen(grantPart); len(grant) == 1+2*size {
		token = grant[1 : 1+size]
	}
	return hmac.Equal([]byte(grant), []byte(g.seal(of, token)))
}

func (g *Grants) seal(of FlowRef, token string) string {
	mode := grantLive
	if of.Draft {
		mode = grantDraft
	}
	return mode + token + base64.RawURLEncoding.EncodeToString(g.mac(mode, token, of)[:grantPart])
}

func (g *Grants) mac(mode, token string, of FlowRef) []byte {
	h := hmac.New(sha256.New, g.key)
	for _, part := range []string{"flow-grant-v2", mode, token, string(of.User), string(of.From), of.Flow} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

// ref is the flow that a device asks for.
func (h *Hub) ref(device wa.DeviceID, f *frame.FlowRequest) (FlowRef, error) {
	ref := FlowRef{User: device.User(), From: wa.WaID(f.To), Flow: f.Flow, Draft: f.Grant[:1] == grantDraft}
	if h.cfg.Flows == nil || h.cfg.Grants == nil {
		return ref, frame.Refuse(frame.ErrUnsupported, "flows are not available on this server")
	}
	if !h.cfg.Grants.holds(ref, f.Grant) {
		return ref, frame.Refuse(frame.ErrNotFound, "no such flow was sent to this user")
	}
	if wait := h.flows.take(string(device), h.cfg.Wire.Now()); wait > 0 {
		e := frame.Refuse(frame.ErrRate, "too many steps of flows")
		e.After = wait.Milliseconds()
		return ref, e
	}
	return ref, nil
}

// Flow is the Flow JSON that a device asks for. Errors: *frame.Error, or those of Flows.
func (h *Hub) Flow(ctx context.Context, device wa.DeviceID, f *frame.FlowRequest) ([]byte, error) {
	if e := f.Check(); e != nil {
		return nil, e
	}
	ref, err := h.ref(device, f)
	if err != nil {
		return nil, err
	}
	return h.cfg.Flows.Flow(ctx, ref)
}

// FlowStep asks a flow's endpoint for a device. Errors: *frame.Error, or those of Flows.
func (h *Hub) FlowStep(ctx context.Context, device wa.DeviceID, f *frame.FlowStep) (*frame.FlowAnswer, error) {
	if e := f.Check(); e != nil {
		return nil, e
	}
	ref, err := h.ref(device, &f.FlowRequest)
	if err != nil {
		return nil, err
	}
	// The endpoint is told, signed, whose token this is: it must be the one that the user was sent.
	if f.Grant != h.cfg.Grants.Grant(ref, f.Token) {
		return nil, frame.Refuse(frame.ErrNotFound, "the flow was sent under another flow_token")
	}
	return h.cfg.Flows.Step(ctx, ref, f)
}

// giveFlow is POST /network/v1/flows.
func (h *Hub) giveFlow(w http.ResponseWriter, r *http.Request) {
	var req frame.FlowRequest
	device, err := h.flowCall(w, r, &req)
	var flow []byte
	if err == nil {
		select {
		case h.giving <- struct{}{}:
			defer func() { <-h.giving }()
		default:
			err = frame.Refuse(frame.ErrBusy, "try again")
		}
	}
	if err == nil {
		flow, err = h.Flow(r.Context(), device, &req)
	}
	if err != nil {
		h.refuseFlow(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(flow) // the device has gone
}

// takeStep is POST /network/v1/flows/steps.
func (h *Hub) takeStep(w http.ResponseWriter, r *http.Request) {
	var st frame.FlowStep
	device, err := h.flowCall(w, r, &st)
	var answer *frame.FlowAnswer
	if err == nil {
		answer, err = h.FlowStep(r.Context(), device, &st)
	}
	if err != nil {
		h.refuseFlow(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// flowCall finds the device and reads the body.
func (h *Hub) flowCall(w http.ResponseWriter, r *http.Request, into any) (wa.DeviceID, error) {
	device, err := h.bearer(r)
	if err != nil {
		return device, err
	}
	err = json.NewDecoder(http.MaxBytesReader(w, r.Body, frame.MaxFlowData+maxBody)).Decode(into)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return device, frame.Refuse(frame.ErrTooLarge, "the body is too long")
	}
	if err != nil {
		return device, frame.Refuse(frame.ErrFormat, "the body is not the JSON expected")
	}
	return device, nil
}

func (h *Hub) refuseFlow(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*frame.Error](err)
	if !ok {
		if r.Context().Err() == nil {
			h.log.ErrorContext(r.Context(), "a device's flow", "err", err)
		}
		e = frame.Refuse(frame.ErrBusy, "try again")
	}
	refuse(w, e)
}

// maxGiven bounds the flows that are being given at one time: each is in memory until its device has read it.
const maxGiven = 32

// flowSpan is what frame.FlowRate counts in.
const flowSpan = time.Minute
