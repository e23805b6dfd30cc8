package network_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// booking is a flow whose endpoint says what it was asked.
type booking struct{}

func (booking) Flow(_ context.Context, of network.FlowRef) ([]byte, error) {
	if of.Draft {
		return []byte(`{"version":"7.3","draft":true}`), nil
	}
	return []byte(`{"version":"7.3"}`), nil
}

func (booking) Step(_ context.Context, of network.FlowRef, st *frame.FlowStep) (*frame.FlowAnswer, error) {
	switch st.Token {
	case "over":
		return nil, frame.Refuse(frame.ErrFlowOver, "The slot is gone.")
	case "bug":
		return nil, errors.New("a secret of the server")
	}
	b, err := json.Marshal(map[string]any{"user": of.User, "from": of.From, "asked": st.Data})
	return &frame.FlowAnswer{Screen: st.Action + "_" + st.Screen, Data: b}, err
}

func flowWorld(t *testing.T) (w *world, hub *network.Hub, grants *network.Grants) {
	t.Helper()
	w, grants = newWorld(nil), network.NewGrants([]byte("a key of the test"))
	hub = network.NewHub(network.Config{
		Directory: w.dir, Mailbox: w.box, Lanes: w.lanes, Businesses: w.biz, Flows: booking{}, Grants: grants, Clock: w.clock, Wire: w.wire,
	})
	t.Cleanup(func() { w.stop(t); _ = hub.Shutdown(context.Background()) })
	return w, hub, grants
}

// Source: spec/flows.md sections 7 and 8.
func TestFlows(t *testing.T) {
	t.Parallel()
	w, hub, grants := flowWorld(t)
	srv := httptest.NewServer(network.Handler(hub, nil))
	t.Cleanup(srv.Close)
	w.user(t, "15550142233")
	_, welcome := login(t, "ws"+strings.TrimPrefix(srv.URL, "http")+frame.PathSocket, 0)
	ref := network.FlowRef{User: "15550142233", From: business, Flow: "880330110220440"}
	flow := func(to, id, grant string) string {
		return `"to":"` + to + `","flow":"` + id + `","grant":"` + grant + `"`
	}
	mine := grants.Grant(ref, "")
	under := func(token string) string {
		return flow(business, ref.Flow, grants.Grant(network.FlowRef{User: ref.User, From: business, Flow: ref.Flow}, token)) + `,"flow_token":"` + token + `"`
	}
	ref.Draft = true
	draft := grants.Grant(ref, "")
	other := grants.Grant(network.FlowRef{User: "15550142299", From: business, Flow: "880330110220440"}, "")
	theirs := grants.Grant(network.FlowRef{User: ref.User, From: business, Flow: ref.Flow}, "order-2210")
	ask := func(path, body string) blobCall {
		return blobCall{method: "POST", path: path, token: welcome.Token, body: "{" + body + "}"}
	}
	step := func(rest string) blobCall { return ask(frame.PathFlowSteps, flow(business, ref.Flow, mine)+","+rest) }
	for _, c := range []struct {
		name   string
		call   blobCall
		status int
		want   string // the answer begins with it
	}{
		{"a flow that was sent", ask(frame.PathFlows, flow(business, ref.Flow, mine)), 200, `{"version":"7.3"}`},
		{"its draft", ask(frame.PathFlows, flow(business, ref.Flow, draft)), 200, `{"version":"7.3","draft":true}`},
		{"the grant of the live one for the draft", ask(frame.PathFlows, flow(business, ref.Flow, "d"+mine[1:])), 404, `{"code":"not_found"`},
		{"a grant of another user", ask(frame.PathFlows, flow(business, ref.Flow, other)), 404, `{"code":"not_found"`},
		{"another flow", ask(frame.PathFlows, flow(business, "880330110220441", mine)), 404, `{"code":"not_found"`},
		{"another number", ask(frame.PathFlows, flow("15550783882", ref.Flow, mine)), 404, `{"code":"not_found"`},
		{"no grant", ask(frame.PathFlows, flow(business, ref.Flow, "")), 400, `{"code":"format","text":"grant`},
		{"no id", ask(frame.PathFlows, flow(business, "../x", mine)), 400, `{"code":"format","text":"flow`},
		{"no JSON", ask(frame.PathFlows, "{"), 400, `{"code":"format"`},
		{"no token", blobCall{method: "POST", path: frame.PathFlows, body: "{}"}, 401, `{"code":"unauthorized"`},
		{"GET", blobCall{method: "GET", path: frame.PathFlows, token: welcome.Token}, 400, `{"code":"unsupported"`},
		{
			"a step", step(`"action":"data_exchange","screen":"PICK","data":{"slot":1}`), 200,
			`{"screen":"data_exchange_PICK","data":{"asked":{"slot":1},"from":"15550783881","user":"15550142233"}}`,
		},
		{"a ping", step(`"action":"ping"`), 400, `{"code":"format","text":"action`},
		{"data that is no object", step(`"action":"INIT","data":[1]`), 400, `{"code":"format","text":"data`},
		{"a step without a grant", ask(frame.PathFlowSteps, flow(business, ref.Flow, other)+`,"action":"INIT"`), 404, `{"code":"not_found"`},
		{"another token than the user was sent", step(`"action":"INIT","flow_token":"order-2210"`), 404, `{"code":"not_found"`},
		{"the token of no token", step(`"action":"INIT","flow_token":"unused"`), 200, `{"screen":"INIT_"`},
		{"a token that was sent", ask(frame.PathFlowSteps, under("order-2210")+`,"action":"INIT"`), 200, `{"screen":"INIT_"`},
		{
			"a grant with the sum of another token",
			ask(frame.PathFlowSteps, flow(business, ref.Flow, mine[:1]+theirs[1:25]+mine[25:])+`,"action":"INIT","flow_token":"order-2210"`), 404, `{"code":"not_found"`,
		},
		{"a token that is over", ask(frame.PathFlowSteps, under("over")+`,"action":"INIT"`), 410, `{"code":"flow_over","text":"The slot is gone."}`},
		{"a fault of the server", ask(frame.PathFlowSteps, under("bug")+`,"action":"INIT"`), 503, `{"code":"busy","text":"try again"}`},
		{"too much data", step(`"action":"INIT","data":{"a":"` + strings.Repeat("x", frame.MaxFlowData) + `"}`), 413, `{"code":"too_large"`},
		{"an endless body", step(strings.Repeat(" ", 1<<20)), 413, `{"code":"too_large"`},
	} {
		if status, got := c.call.do(t, srv.URL); status != c.status || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %d %s", c.name, status, got)
		}
	}
}

func TestStepsOfFlowsAreCounted(t *testing.T) {
	t.Parallel()
	w, hub, grants := flowWorld(t)
	device := w.user(t, "15550142233")
	req := frame.FlowRequest{To: business, Flow: "7", Grant: grants.Grant(network.FlowRef{User: device.User(), From: business, Flow: "7"}, "")}
	call := func(on wa.DeviceID) error {
		_, err := hub.FlowStep(t.Context(), on, &frame.FlowStep{FlowRequest: req, Action: frame.FlowInit})
		return err
	}
	for i := range frame.FlowRate {
		if err := call(device); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	err := call(device)
	if e, ok := errors.AsType[*frame.Error](err); !ok || e.Code != frame.ErrRate || e.After != 60_000 {
		t.Errorf("after %d steps in a minute: %v", frame.FlowRate, err)
	}
	w.wire.Advance(time.Minute)
	if err := call(device); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestNoFlows(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	t.Cleanup(func() { w.stop(t) })
	_, err := w.hub.Flow(t.Context(), w.user(t, "15550142233"), &frame.FlowRequest{To: business, Flow: "7", Grant: "l"})
	if !errors.Is(err, frame.Refuse(frame.ErrUnsupported, "")) {
		t.Errorf("a server without flows: %v", err)
	}
}
