package flow_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/flow/document"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The end of a version is announced, then it cannot be published, then it cannot be sent. Sources: spec/flows.md sections 9 and 11,
// spec/webhooks.md section 19.
func TestAVersionEnds(t *testing.T) {
	t.Parallel()
	r := open(t)
	old, newer := r.published("old", inVersion(plain, "5.1")), r.published("newer", plain)
	draft := r.draft("draft", inVersion(plain, "5.1"))
	v, _ := document.ParseVersion("5.1")
	retire := func(in flow.Retirement) flow.Retirement {
		t.Helper()
		in.Version = v
		got, err := r.Retire(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	same(t, "freezes", retire(flow.Retirement{}).Freezes, noon.Add(90*24*time.Hour))
	if _, err := r.Retire(t.Context(), flow.Retirement{Version: v, Expires: noon}); !errors.Is(err, flow.ErrState) {
		t.Errorf("expired before it is frozen: %v", err)
	}
	expires := noon.Add(200 * 24 * time.Hour)
	same(t, "freezes as before", retire(flow.Retirement{Expires: expires}).Freezes, noon.Add(90*24*time.Hour))
	warning := func(event, what string) string {
		text := "Flow JSON version 5.1 will " + what + ". Please migrate to a newer version."
		return `{"event":"` + event + `","message":"` + text + `","flow_id":"` + string(old.ID) + `","warning":"` + text + `"}`
	}
	got := r.notices(old.ID)
	if len(got) != 2 || got[0] != warning("FLOW_VERSION_FREEZE_WARNING", "be frozen and cannot be published any more on 2026-07-30") ||
		got[1] != warning("FLOW_VERSION_EXPIRY_WARNING", "expire and cannot be sent any more on 2026-11-17") {
		t.Errorf("notices %q", got)
	}
	same(t, "notices of a draft", len(r.notices(draft.ID)), 2)
	same(t, "notices of another version", len(r.notices(newer.ID)), 0)

	r.load() // plans survive
	r.clock.Advance(90*24*time.Hour - time.Second)
	if _, err := r.Publish(t.Context(), r.draft("last", inVersion(plain, "5.1")).ID); err != nil {
		t.Error(err)
	}
	r.clock.Advance(time.Second)
	_, err := r.Publish(t.Context(), draft.ID)
	saying(t, err, wa.ErrFlowPublish, "Flow JSON version 5.1 is not available for publishing.")
	if _, err := r.Sendable(waba, flow.Ref{ID: string(old.ID)}); err != nil {
		t.Error(err)
	}
	r.clock.Advance(110 * 24 * time.Hour)
	_, err = r.Sendable(waba, flow.Ref{ID: string(old.ID)})
	saying(t, err, wa.ErrValue, "The version of the Flow JSON has expired.")
	if _, err := r.Sendable(waba, flow.Ref{ID: string(newer.ID)}); err != nil {
		t.Error(err)
	}
}

// Whoever could not be warned when a version's end was planned is warned later, and nobody twice.
func TestNobodyIsLeftOutOfAWarning(t *testing.T) {
	t.Parallel()
	r := open(t)
	f, other := r.draft("one", inVersion(plain, "5.1")), r.draft("two", inVersion(plain, "5.1"))
	v, _ := document.ParseVersion("5.1")
	retire := func(in flow.Retirement) {
		t.Helper()
		in.Version = v
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // the client has gone
		if _, err := r.Retire(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	told := func(what string, n int) {
		t.Helper()
		same(t, what, len(r.notices(f.ID)), n)
		same(t, what+", the other", len(r.notices(other.ID)), n)
	}
	r.mem.failing(errors.New("the disk is full"))
	retire(flow.Retirement{})
	told("the disk is full", 0)
	r.mem.failing(nil)
	retire(flow.Retirement{})
	told("planned once more", 1)
	retire(flow.Retirement{})
	told("and again", 1)
	r.mem.failing(errors.New("the disk is full"))
	retire(flow.Retirement{Expires: noon.Add(200 * 24 * time.Hour)})
	told("the disk is full again", 1)
	r.mem.failing(nil)
	r.load()
	told("after a start", 2)
	r.load()
	told("after another", 2)
}

// The address in a document before 3.0 is looked at when it comes. Source: spec/flows.md section 4.
func TestAnAddressInADocument(t *testing.T) {
	t.Parallel()
	r := open(t)
	for address, problems := range map[string]int{uri: 0, "http://flows.example.test": 1, "slot": 1} {
		f := r.draft(address, `{"version":"2.1","data_channel_uri":"`+address+`",`+plain[len(`{"version":"7.3",`):])
		n := 0
		for _, p := range f.Draft.Problems {
			if p.Code == "INVALID_PROPERTY_VALUE" && p.Pointer[0].Path == "data_channel_uri" {
				n++
			}
		}
		if n != problems {
			t.Errorf("%s: %+v", address, f.Draft.Problems)
		}
	}
}
