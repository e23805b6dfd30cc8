package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func registration(id string, phone wa.WaID, device uint8, base uint64) network.NewDevice {
	return network.NewDevice{
		User: &network.User{
			ID: id, WaID: phone, Generation: 4_000_000_000, Name: "Né\x00", Username: "n", HideReads: true, IdentityHash: "h", PIN: []byte{0, 1}, PINTries: 2,
			PINPause: 3, Created: 4, Seen: 5,
			Devices: []*network.Device{{
				ID: wa.NewDeviceID(phone, device), Name: "Phone", Platform: "android", IdentityKey: [33]byte{5, 1, 255}, AuthKey: []byte{9}, RegistrationID: 4_000_000_001,
				SignedAt: 6, Base: base, Created: 7, Seen: 8,
			}},
		},
		Keys: network.KeySet{
			At: 6, Signed: &frame.SignedKey{ID: 4_000_000_002, Key: []byte{1}, Sig: []byte{2}}, KEM: &frame.SignedKey{ID: 3, Key: []byte{3}, Sig: []byte{4}},
			OneTime: []frame.OneTimeKey{{ID: 1, Key: []byte{11}}, {ID: 2, Key: []byte{12}}},
		},
	}
}

// checkUser compares what is stored under a number with want, nil for nobody.
func checkUser(t *testing.T, d network.DirectoryStore, what string, phone wa.WaID, want *network.User) {
	t.Helper()
	got, err := d.User(t.Context(), phone)
	must(t, err)
	if (got == nil) != (want == nil) {
		t.Fatalf("%s: %v", what, got)
	}
	if want == nil {
		return
	}
	g, w := *got, *want
	g.Devices, w.Devices = nil, nil
	same(t, what, g, w)
	if len(got.Devices) != len(want.Devices) {
		t.Fatalf("%s: %d devices", what, len(got.Devices))
	}
	for i := range got.Devices {
		same(t, what, *got.Devices[i], *want.Devices[i])
	}
}

func directory(t *testing.T, s *store.Store) {
	d := s.Directory()
	if u, err := d.User(t.Context(), "1555"); u != nil || err != nil {
		t.Fatalf("nobody: %v, %v", u, err)
	}
	a := registration("u_a", "1555", 1, 0)
	must(t, d.Register(t.Context(), []network.NewDevice{a, registration("u_b", "1556", 1, 0), registration("u_c", "1557", 1, 0)}))
	checkUser(t, d, "registered", "1555", a.User)
	if n, err := d.CountUsers(t.Context()); n != 3 || err != nil {
		t.Errorf("count %d, %v", n, err)
	}
	us, err := d.Users(t.Context(), "1555", 1)
	must(t, err)
	if len(us) != 1 || us[0].WaID != "1556" || len(us[0].Devices) != 1 {
		t.Errorf("page: %+v", us)
	}
	changed := *a.User
	changed.Name, changed.PIN, changed.HideReads, changed.Devices = "Other", nil, false, nil
	must(t, d.SaveUser(t.Context(), &changed))
	changed.Devices = a.User.Devices
	checkUser(t, d, "saved", "1555", &changed)
	must(t, d.Touch(t.Context(), "1555.1", 99))
	changed.Seen, changed.Devices = 99, []*network.Device{new(*a.User.Devices[0])}
	changed.Devices[0].Seen = 99
	checkUser(t, d, "touched", "1555", &changed)
}

// news are written with the registration, or not at all, and stay until they are told.
func news(t *testing.T, s *store.Store) {
	d := s.Directory()
	with := func(n network.NewDevice, id string) network.NewDevice {
		n.News = &network.News{ID: id, Person: n.User.ID, WaID: n.User.WaID, Was: "1554", Name: "Né\x00"}
		return n
	}
	must(t, d.Register(t.Context(), []network.NewDevice{
		with(registration("u_b", "1556", 1, 0), "02/b"), with(registration("u_a", "1555", 1, 0), "01/a"), registration("u_c", "1557", 1, 0),
	}))
	broken := with(registration("u_d", "1558", 1, 0), "00/d")
	broken.User.Devices = nil
	if err := d.Register(t.Context(), []network.NewDevice{with(registration("u_a", "1555", 1, 0), "03/a"), broken}); err == nil {
		t.Error("a registration without device was taken")
	}
	left := func(after string, limit int, want ...string) {
		t.Helper()
		list, err := d.News(t.Context(), after, limit)
		must(t, err)
		var got []string
		for _, n := range list {
			got = append(got, n.ID)
		}
		same(t, "news", got, want)
	}
	left("", 1, "01/a")
	left("", 9, "01/a", "02/b")
	left("01/a", 9, "02/b")
	left("02/b", 9)
	last := func(want string) {
		t.Helper()
		id, err := d.LastNews(t.Context())
		must(t, err)
		same(t, "the last news", id, want)
	}
	last("02/b")
	list, err := d.News(t.Context(), "", 1)
	must(t, err)
	same(t, "as it was written", *list[0], network.News{ID: "01/a", Person: "u_a", WaID: "1555", Was: "1554", Name: "Né\x00"})
	must(t, d.Told(t.Context(), nil))
	must(t, d.Told(t.Context(), []string{"01/a", "unknown"}))
	left("", 9, "02/b")
	must(t, d.Told(t.Context(), []string{"02/b"}))
	last("")
}

// numberChange registers a user under another number: old keys and old items are gone, items for the new keys stay.
func numberChange(t *testing.T, s *store.Store) {
	d := s.Directory()
	must(t, d.Register(t.Context(), []network.NewDevice{registration("u_a", "1555", 1, 0), registration("u_b", "1556", 1, 0)}))
	item := func(device string, seq uint64) *pipeline.MailboxItem {
		return &pipeline.MailboxItem{Device: wa.DeviceID(device), Seq: seq, Cipher: []byte("x")}
	}
	must(t, s.Apply(t.Context(), &pipeline.Batch{Position: 1, Items: []*pipeline.MailboxItem{item("1555.1", 5), item("1558.1", 5), item("1558.1", 6)}}))
	moved := registration("u_a", "1558", 1, 5)
	moved.Keys.OneTime = nil
	must(t, d.Register(t.Context(), []network.NewDevice{moved}))
	checkUser(t, d, "old number", "1555", nil)
	checkUser(t, d, "new number", "1558", moved.User)
	for device, want := range map[wa.DeviceID]int{"1555.1": 0, "1558.1": 1} {
		if got, err := s.MailboxAfter(t.Context(), device, 0, 9); len(got) != want || err != nil {
			t.Errorf("mailbox of %s: %d items, want %d, %v", device, len(got), want, err)
		}
	}
	if n, err := d.OneTimeLeft(t.Context(), "1555.1"); n != 0 || err != nil {
		t.Errorf("old prekeys: %d, %v", n, err)
	}
	// A number taken by somebody else is not given to two.
	if err := d.Register(t.Context(), []network.NewDevice{registration("u_new", "1600", 1, 0), registration("u_x", "1556", 2, 0)}); err == nil {
		t.Error("one number for two users")
	}
	checkUser(t, d, "registered in a failed transaction", "1600", nil)

	must(t, d.RemoveDevice(t.Context(), "1558.1"))
	moved.User.Devices = nil
	checkUser(t, d, "without device", "1558", moved.User)
	if k, err := d.Keys(t.Context(), "1558.1"); k != nil || err != nil {
		t.Errorf("keys of a removed device: %v, %v", k, err)
	}
	if got, err := s.MailboxAfter(t.Context(), "1558.1", 0, 9); len(got) != 0 || err != nil {
		t.Errorf("mailbox of a removed device: %v, %v", got, err)
	}
}

func prekeys(t *testing.T, s *store.Store) {
	d := s.Directory()
	r := registration("u_a", "1555", 1, 0)
	must(t, d.Register(t.Context(), []network.NewDevice{r}))
	want := func(what string, signed, kem *frame.SignedKey, at int64) {
		t.Helper()
		k, err := d.Keys(t.Context(), "1555.1")
		must(t, err)
		same(t, what, []any{*k.Signed, *k.KEM, k.At, len(k.OneTime)}, []any{*signed, *kem, at, 0})
	}
	want("registered", r.Keys.Signed, r.Keys.KEM, 6)
	next := &frame.SignedKey{ID: 9, Key: []byte{7}, Sig: []byte{8}}
	if n, err := d.SaveKeys(t.Context(), "1555.1", &network.KeySet{Signed: next, At: 50, OneTime: []frame.OneTimeKey{{ID: 2, Key: []byte{22}}, {ID: 3, Key: []byte{13}}}}); n != 3 || err != nil {
		t.Errorf("saved: %d left, %v", n, err)
	}
	want("signed prekey replaced", next, r.Keys.KEM, 50)
	if n, err := d.SaveKeys(t.Context(), "1555.1", &network.KeySet{KEM: next}); n != 3 || err != nil {
		t.Errorf("saved: %d left, %v", n, err)
	}
	want("KEM prekey replaced", next, next, 50)
	u, err := d.User(t.Context(), "1555")
	must(t, err)
	if u.Devices[0].SignedAt != 50 {
		t.Errorf("signed at %d", u.Devices[0].SignedAt)
	}
	if k, err := d.Keys(t.Context(), "1555.9"); k != nil || err != nil {
		t.Errorf("keys of nobody: %v, %v", k, err)
	}
}

// prekeyRace lets several callers take one-time prekeys: each goes to one of them.
func prekeyRace(t *testing.T, s *store.Store) {
	d := s.Directory()
	r := registration("u_a", "1555", 1, 0)
	r.Keys.OneTime = nil
	for i := range 100 {
		r.Keys.OneTime = append(r.Keys.OneTime, frame.OneTimeKey{ID: uint32(100 + i), Key: []byte{byte(i)}})
	}
	must(t, d.Register(t.Context(), []network.NewDevice{r}))
	if n, err := d.SaveKeys(t.Context(), "1555.1", &network.KeySet{OneTime: []frame.OneTimeKey{{ID: 100, Key: []byte{22}}}}); n != 100 || err != nil {
		t.Errorf("replaced: %d left, %v", n, err)
	}
	var g sync.WaitGroup
	var mu sync.Mutex
	taken := map[uint32][]byte{}
	for range 4 {
		g.Go(func() {
			for range 20 {
				k, _, err := d.TakeOneTime(t.Context(), "1555.1")
				if err != nil || k == nil {
					t.Errorf("take: %v, %v", k, err)
					return
				}
				mu.Lock()
				if taken[k.ID] != nil {
					t.Errorf("prekey %d was given to two", k.ID)
				}
				taken[k.ID] = k.Key
				mu.Unlock()
			}
		})
	}
	g.Wait()
	if n, err := d.OneTimeLeft(t.Context(), "1555.1"); n != 20 || err != nil {
		t.Errorf("%d left, %v", n, err)
	}
	if k := taken[100]; k != nil {
		sameBytes(t, "replaced prekey", k, []byte{22})
	}
	k, left, err := d.TakeOneTime(t.Context(), "1555.1")
	if k == nil || left != 19 || err != nil {
		t.Errorf("take: %v, %d, %v", k, left, err)
	}
	must(t, d.DropOneTime(t.Context(), "1555.1"))
	if k, left, err = d.TakeOneTime(t.Context(), "1555.1"); k != nil || left != 0 || err != nil {
		t.Errorf("take of none: %v, %d, %v", k, left, err)
	}
}

func codes(t *testing.T, s *store.Store) {
	const hour = 3600_000
	now := noon.UnixMilli()
	c := &network.Code{ID: "cd_1", Phone: "1555", Salt: []byte{0}, Hash: []byte{1, 0}, Expires: now + hour/6}
	must(t, s.SaveCode(t.Context(), c))
	var g sync.WaitGroup
	seen := make(chan int, 10)
	for range 10 {
		g.Go(func() {
			got, err := s.TryCode(t.Context(), "cd_1")
			if err != nil || got == nil {
				t.Errorf("try: %v, %v", got, err)
				return
			}
			seen <- got.Tries
		})
	}
	g.Wait()
	close(seen)
	tries := map[int]bool{}
	for n := range seen {
		tries[n] = true
	}
	if len(tries) != 10 || !tries[10] {
		t.Errorf("tries were counted as %v", tries)
	}
	got, err := s.TryCode(t.Context(), "cd_1")
	must(t, err)
	c.Tries = 11
	same(t, "row", *got, *c)
	c.Tries = 0
	must(t, s.SaveCode(t.Context(), c))
	if got, err := s.TryCode(t.Context(), "cd_1"); err != nil || got.Tries != 1 {
		t.Errorf("replaced: %v, %v", got, err)
	}
	must(t, s.SaveCode(t.Context(), &network.Code{ID: "cd_2", Expires: now + 5*hour}))
	for id, there := range map[string]bool{"cd_1": false, "cd_2": true, "cd_3": false} {
		if got, err := s.TryCode(t.Context(), id); (got != nil) != there || err != nil {
			t.Errorf("%s: %v, %v", id, got, err)
		}
	}
	must(t, s.DeleteCode(t.Context(), "cd_2"))
	if got, err := s.TryCode(t.Context(), "cd_2"); got != nil || err != nil {
		t.Errorf("deleted: %v, %v", got, err)
	}
}

func tops(t *testing.T, s *store.Store) {
	must(t, s.Directory().Register(t.Context(), []network.NewDevice{registration("u_a", "1555", 1, 4), registration("u_b", "1556", 1, 100)}))
	var insert []*pipeline.MailboxItem
	for seq := range uint64(6) {
		insert = append(insert, &pipeline.MailboxItem{Device: "1555.1", Seq: seq + 1, Cipher: []byte("123"), Event: []byte("45")})
	}
	must(t, s.Apply(t.Context(), &pipeline.Batch{Position: 1, Items: insert, Sessions: []pipeline.Session{
		{Number: "1", Device: "1555.1", LastSeq: 9}, {Number: "2", Device: "1555.1", LastSeq: 3}, {Number: "1", Device: "1555.2", LastSeq: 70}, {Number: "1", Device: "1556.1", LastSeq: 70},
	}}))
	var ask []wa.DeviceID
	for i := range 450 { // more than one query takes
		ask = append(ask, wa.DeviceID(fmt.Sprintf("1700%03d.1", i)))
	}
	ask = append(ask, "1555.1", "1556.1", "1555.2", "1555.1")
	got, err := s.MailboxTops(t.Context(), ask)
	must(t, err)
	if len(got) != len(ask) || got[0] != (network.Top{Device: ask[0]}) {
		t.Fatalf("%d answers, first %+v", len(got), got[0])
	}
	top := network.Top{Device: "1555.1", Seq: 9, Base: 4, Items: 2, Bytes: 10}
	same(t, "tops", got[450:], []network.Top{top, {Device: "1556.1", Seq: 100, Base: 100}, {Device: "1555.2", Seq: 70}, top})
}

func retention(t *testing.T, s *store.Store) {
	var insert []*pipeline.Message
	for i := range 2500 {
		m := &pipeline.Message{ID: wa.MessageID(fmt.Sprint("m", i)), User: "1555", State: pipeline.StateRead, AcceptedAt: int64(i)}
		if i == 7 {
			m.ReadAt = 5000 // its user read it long after
		}
		insert = append(insert, m)
	}
	yes := true
	must(t, s.Apply(t.Context(), &pipeline.Batch{Position: 1, Insert: insert, Peers: []pipeline.PeerChange{
		{Key: pipeline.PeerKey{Number: "1", User: "old"}, LastInbound: 10},
		{Key: pipeline.PeerKey{Number: "1", User: "young"}, LastInbound: 5000},
		{Key: pipeline.PeerKey{Number: "1", User: "blocked"}, BlockedByBusiness: &yes},
	}, Sessions: []pipeline.Session{{Number: "1", Device: "old.1", LastSeq: 1}}}))
	before := time.UnixMilli(2300)
	for _, want := range []int{2299, 0} {
		if n, err := s.DeleteMessages(t.Context(), before); n != want || err != nil {
			t.Errorf("deleted %d, %v; want %d", n, err, want)
		}
	}
	for id, there := range map[wa.MessageID]bool{"m0": false, "m7": true, "m2299": false, "m2300": true} {
		if (row(t, s, id) != nil) != there {
			t.Errorf("%s: there %t, want %t", id, !there, there)
		}
	}
	if n, err := s.DeletePairs(t.Context(), before); n != 1 || err != nil {
		t.Errorf("deleted %d pairs, %v", n, err)
	}
	ps, err := s.Peers(t.Context(), []pipeline.PeerKey{{Number: "1", User: "young"}, {Number: "1", User: "blocked"}, {Number: "1", User: "old"}})
	must(t, err)
	if len(ps) != 3 || len(ps[2].Sessions) != 1 || ps[2].LastInbound != 0 {
		t.Errorf("pairs left: %+v", ps)
	}
}
