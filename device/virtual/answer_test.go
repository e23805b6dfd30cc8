package virtual_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/device/internal/platformtest"
	"github.com/hikyaku/hikyaku/device/virtual"
)

const (
	list = `"type":"interactive","interactive":{"type":"list","body":{"text":"?"},"action":{"button":"b","sections":[{"rows":[` +
		`{"id":"a","title":"A"},{"id":"b","title":"B"},{"id":"c","title":"C"}]}]}}`
	flow = `"type":"interactive","interactive":{"type":"flow","body":{"text":"?"},"action":{"name":"flow","parameters":` +
		`{"flow_id":"7","flow_cta":"Go","flow_token":"tok"}}}`
)

func withFiles(o *virtual.Options) {
	kept := &files{list: map[string][]byte{}}
	o.Files = func(string) device.Relay { return kept }
}

// said is everything that a user sent, in order.
func (r *rig) said(waID string) (all []string) {
	r.idle()
	r.n.Look(waID+".1", func(p *platformtest.Peer) { all = append(all, p.Inbox...) })
	return all
}

func TestUsersAnswerByThemselves(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ behaviour, message, says string }{
		{`{"press_rate":1}`, flow, `"response_json":"{\"flow_token\":\"tok\"}"`},
		{`{"press_rate":1,"fields":{"guests":"8"}}`, flow, `"response_json":"{\"flow_token\":\"tok\",\"guests\":\"8\"}"`},
		{`{"react_rate":1,"react_emoji":"🎉"}`, flow, `"reaction":{"emoji":"🎉"`},
		{`{"file_rate":1,"file_kind":"sticker"}`, flow, `"type":"sticker"`},
	} {
		r := newRig(t, withFiles)
		r.add("15550200001", c.behaviour)
		r.n.send("15550200001", c.message)
		if got := r.said("15550200001"); len(got) != 1 || !strings.Contains(got[0], c.says) {
			t.Errorf("%s: %q", c.behaviour, got)
		}
	}
	r := newRig(t, nil)
	r.add("15550200001", `{"opt_out_rate":1,"mute_rate":1,"archive_rate":1}`)
	r.n.text("15550200001", "offer")
	r.idle()
	var acts []string
	r.n.Look("15550200001.1", func(p *platformtest.Peer) {
		for _, a := range p.Acts {
			acts = append(acts, string(a.Do))
		}
	})
	equal(t, "acts", strings.Join(acts, " "), "mute archive opt_out")
}

func TestWhatIsPressedRepeatsForASeed(t *testing.T) {
	t.Parallel()
	var runs [2]string
	for i := range runs {
		r := newRig(t, nil)
		r.add("15550200001", `{"press_rate":0.7}`)
		for range 20 {
			r.n.send("15550200001", list)
			r.idle()
		}
		for _, s := range r.said("15550200001") {
			_, id, _ := strings.Cut(s, `"list_reply":{"id":"`)
			runs[i] += id[:1]
		}
	}
	if runs[0] != runs[1] || len(runs[0]) < 8 || strings.Count(runs[0], "a") == len(runs[0]) {
		t.Errorf("pressed %q and %q", runs[0], runs[1])
	}
}

func TestPressReactEditRevoke(t *testing.T) {
	t.Parallel()
	const ann = "15550200001"
	r := newRig(t, nil)
	r.add(ann, "")
	id := r.n.send(ann, list)
	r.idle()
	do := func(a virtual.UserAction) error { return r.f.Do(t.Context(), ann, a) }
	r.must(do(virtual.UserAction{Do: "press", IDs: []string{id}, Choice: "b"}))
	r.must(do(virtual.UserAction{Do: "press", IDs: []string{id}, Choice: "3"}))
	r.must(do(virtual.UserAction{Do: "react", IDs: []string{id}, Emoji: "👍"}))
	if err := do(virtual.UserAction{Do: "press", IDs: []string{id}, Choice: "4"}); !errors.Is(err, virtual.ErrAction) {
		t.Errorf("pressed what is not there: %v", err)
	}
	got := strings.Join(r.said(ann), "\n")
	for _, want := range []string{`"id":"b"`, `"id":"c"`, `"context":{"id":"` + id + `"}`, `"emoji":"👍"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	_, err := r.f.Send(t.Context(), ann, business, device.TextContent("helo"))
	r.must(err)
	r.idle()
	all, err := r.f.Messages(ann)
	r.must(err)
	equal(t, "choices", len(all[0].Choices), 3)
	equal(t, "reaction", all[0].Ours, "👍")
	own := all[len(all)-1].ID
	r.must(do(virtual.UserAction{Do: "edit", IDs: []string{own}, Text: "hello"}))
	r.must(do(virtual.UserAction{Do: "revoke", IDs: []string{own}}))
	if err := do(virtual.UserAction{Do: "revoke", IDs: []string{id}}); !errors.Is(err, device.ErrContent) {
		t.Errorf("deleted a message of the business: %v", err)
	}
}

func TestFilesOfUsers(t *testing.T) {
	t.Parallel()
	const ann = "15550200001"
	r := newRig(t, withFiles)
	r.add(ann, "")
	for _, kind := range []string{"image", "video", "audio", "document", "sticker"} {
		a, ok := virtual.Sample(kind)
		if !ok {
			t.Fatalf("no sample of %s", kind)
		}
		content, err := r.f.Upload(t.Context(), ann, a)
		r.must(err)
		_, err = r.f.Send(t.Context(), ann, business, content)
		r.must(err)
		r.idle()
		all, err := r.f.Messages(ann)
		r.must(err)
		last := all[len(all)-1]
		if strings.Contains(string(last.Content), "key\"") {
			t.Errorf("keys are shown: %s", last.Content)
		}
		f, data, err := r.f.Fetch(t.Context(), ann, last.ID, 0)
		if err != nil || f.Kind != kind || !bytes.Equal(data, a.Data) {
			t.Errorf("%s: %d bytes, %v", kind, len(data), err)
		}
	}
	if _, _, err := r.f.Fetch(t.Context(), ann, "wamid.none", 0); !errors.Is(err, virtual.ErrUnknown) {
		t.Errorf("a file of no message: %v", err)
	}
	bare := newRig(t, nil)
	bare.add(ann, "")
	if _, err := bare.f.Upload(t.Context(), ann, device.Attachment{}); !errors.Is(err, virtual.ErrNoFiles) {
		t.Errorf("without a relay: %v", err)
	}
}

func TestMoveKeepsTheChats(t *testing.T) {
	t.Parallel()
	const ann, new = "15550200001", "15550200002"
	r := newRig(t, nil)
	r.add(ann, "")
	r.n.text(ann, "before")
	r.idle()
	before := r.hash(ann)
	r.must(r.f.Do(t.Context(), ann, virtual.UserAction{Do: "change_number", Phone: new}))
	if _, ok := r.f.User(ann); ok {
		t.Error("the old number still has a user")
	}
	equal(t, "left", r.f.Left(ann), true)
	if r.hash(new) == before {
		t.Error("the new device has the old identity")
	}
	id := r.n.text(new, "after")
	r.idle()
	equal(t, "statuses", r.n.history(new, id), "delivered read")
	all, err := r.f.Messages(new)
	r.must(err)
	if len(all) != 2 || string(all[0].Content) != `{"body":"before"}` {
		t.Errorf("chats: %+v", all)
	}
	r.add(ann, "")
	equal(t, "left", r.f.Left(ann), false)
	if err := r.f.Do(t.Context(), new, virtual.UserAction{Do: "change_number", Phone: ann}); !errors.Is(err, virtual.ErrAction) {
		t.Errorf("a number with a user: %v", err)
	}
}
