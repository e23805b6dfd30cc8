package virtual_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/device/virtual"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

const granted = `"type":"interactive","interactive":{"type":"flow","body":{"text":"?"},"action":{"name":"flow","parameters":` +
	`{"flow_name":"party","flow_cta":"Go","flow_token":"tok","flow_action":"data_exchange"}}},"flows":[{"id":"7","name":"party","grant":"labc"}]`

// host has one flow, for whoever shows the grant.
type host struct{ asked chan frame.FlowStep }

func (h *host) Flow(_ context.Context, f frame.FlowRequest) ([]byte, error) {
	if f != (frame.FlowRequest{To: business, Flow: "7", Grant: "labc"}) {
		return nil, frame.Refuse(frame.ErrNotFound, "no such flow")
	}
	return []byte(`{"version":"7.3","data_api_version":"3.0","routing_model":{"GUESTS":[]},"screens":[{"id":"GUESTS","title":"Guests",
		"terminal":true,"data":{"max":{"type":"string","__example__":"9"}},"layout":{"type":"SingleColumnLayout","children":[
		{"type":"TextBody","text":"${data.max}"},
		{"type":"TextInput","name":"guests","label":"Guests","input-type":"number","required":true},
		{"type":"Footer","label":"Send","on-click-action":{"name":"complete","payload":{"guests":"${form.guests}","max":"${data.max}"}}}]}}]}`), nil
}

func (h *host) FlowStep(_ context.Context, f frame.FlowStep) (frame.FlowAnswer, error) {
	h.asked <- f
	return frame.FlowAnswer{Screen: "GUESTS", Data: json.RawMessage(`{"max":"12"}`)}, nil
}

func flowRig(t *testing.T) (*rig, *host) {
	h := &host{asked: make(chan frame.FlowStep, 10)}
	return newRig(t, func(o *virtual.Options) { o.Flows = func(string) device.FlowHost { return h } }), h
}

func TestUsersAnswerFlows(t *testing.T) {
	t.Parallel()
	const ann = "15550200001"
	r, h := flowRig(t)
	r.add(ann, "")
	id := r.n.send(ann, granted)
	bare := r.n.send(ann, flow) // brings no grant
	r.idle()
	do := func(id string, a virtual.UserAction) error {
		a.Do, a.IDs = "press", []string{id}
		return r.f.Do(t.Context(), ann, a)
	}
	r.must(do(id, virtual.UserAction{Choice: "Go", Fields: map[string]any{"guests": "8"}}))
	if q := <-h.asked; q.Action != frame.FlowInit || q.Token != "tok" {
		t.Errorf("the endpoint was asked %+v", q)
	}
	for _, tc := range []struct {
		fields map[string]any
		want   string
	}{
		{map[string]any{"guests": "many"}, "guests: This is not a number."},
		{nil, "guests: This is required."},
		{map[string]any{"guests": "8", "gests": "8"}, `no screen asked for "gests"`},
	} {
		if err := do(id, virtual.UserAction{Fields: tc.fields}); !errors.Is(err, virtual.ErrFlow) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v: %v", tc.fields, err)
		}
	}
	r.must(do(id, virtual.UserAction{Sample: true}))
	r.must(do(id, virtual.UserAction{Raw: true, Fields: map[string]any{"x": "y"}}))
	r.must(do(bare, virtual.UserAction{Fields: map[string]any{"x": "z"}}))
	got := r.said(ann)
	for i, want := range []string{
		`{\"flow_token\":\"tok\",\"guests\":\"8\",\"max\":\"12\"}`, `{\"flow_token\":\"tok\",\"guests\":\"4\",\"max\":\"12\"}`,
		`{\"flow_token\":\"tok\",\"x\":\"y\"}`, `{\"flow_token\":\"tok\",\"x\":\"z\"}`,
	} {
		if len(got) != 4 || !strings.Contains(got[i], `"response_json":"`+want+`"`) || !strings.Contains(got[i], `"context":{"id":"`) {
			t.Fatalf("want %s, got %q", want, got)
		}
	}
}

func TestUsersFillInFlowsByThemselves(t *testing.T) {
	t.Parallel()
	const ann = "15550200001"
	r, _ := flowRig(t)
	r.add(ann, `{"press_rate":1,"fields":{"guests":"3","other":"x"}}`)
	r.n.send(ann, granted)
	r.idle()
	if got := r.said(ann); len(got) != 1 || !strings.Contains(got[0], `\"guests\":\"3\"`) || !strings.Contains(got[0], `\"max\":\"12\"`) {
		t.Errorf("%q", got)
	}
}
