package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
	"github.com/hikyaku/hikyaku/test/child"
)

// withoutStorage makes the starter number one without storage.
func (s *stand) withoutStorage() {
	s.t.Helper()
	number := s.start.Number
	s.control("POST", "numbers/"+number+"/storage", map[string]bool{"no_storage": true})
	for _, call := range []struct {
		edge string
		body any
	}{
		{"deregister", nil},
		{"settings", map[string]any{"storage_configuration": map[string]any{"status": "NO_STORAGE_ENABLED", "retention_minutes": 60}}},
		{"register", map[string]string{"messaging_product": "whatsapp", "pin": "212834"}},
	} {
		if a := s.graph("POST", number+"/"+call.edge, call.body); a.Status != 200 {
			s.t.Fatalf("%s: HTTP %d %s", call.edge, a.Status, a.Body)
		}
	}
}

// briefVault is the vault of a platform that does not run, at the given time.
func (s *stand) briefVault(db *store.Store, now time.Time) *vault.Vault {
	s.t.Helper()
	root, err := vault.ReadRootFile(filepath.Join(s.options.Data, "root.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	v, err := vault.Open(s.t.Context(), vault.Options{
		Root: root, Store: db, Clock: clock.NewFake(now), Brief: filepath.Join(s.options.Data, "brief.keys"),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// frames are those of the journal of a platform that does not run.
func (s *stand) frames() (all []*journal.Frame) {
	s.t.Helper()
	j, err := journal.Open(s.t.Context(), journal.Options{Dir: filepath.Join(s.options.Data, "journal"), Partitions: 8, Clock: s.clock})
	if err != nil {
		s.t.Fatal(err)
	}
	defer j.Close(context.Background())
	for i := range j.Partitions() {
		for at := uint64(0); at < j.Log(i).Last(); {
			f, err := j.Log(i).Next(s.t.Context(), at)
			if err != nil {
				s.t.Fatal(err)
			}
			at, all = f.Seq, append(all, f)
		}
	}
	return all
}

// sealedThing is something sealed, and the place that it was sealed for.
type sealedThing struct {
	what, ad string
	b        []byte
}

// onDisk is everything with content of messages that a platform which does not run has on disk.
func (s *stand) onDisk(db *store.Store, ids ...string) (all []sealedThing) {
	s.t.Helper()
	add := func(what, ad string, b []byte) {
		if len(b) > 0 {
			all = append(all, sealedThing{what, ad, b})
		}
	}
	for _, f := range s.frames() {
		for _, r := range f.Records {
			switch r := r.(type) {
			case *record.Accepted:
				add("a message in the journal", "message/"+string(r.ID)+"/body", r.SealedBody)
				add("callback data in the journal", "message/"+string(r.ID)+"/opaque", r.SealedOpaque)
			case *record.Received:
				add("a user's message in the journal", "message/"+string(r.ID)+"/body", r.SealedBody)
			case *record.Sealed:
				add("ciphertext in the journal", fmt.Sprint("mailbox/", r.Device, "/", r.Seq), r.Cipher)
			}
		}
	}
	for _, id := range ids {
		rows, err := db.Messages(s.t.Context(), []wa.MessageID{wa.MessageID(id)})
		if err != nil || len(rows) != 1 {
			s.t.Fatalf("%v, %v", rows, err)
		}
		add("a message in the store", "message/"+id+"/body", rows[0].Content)
		add("callback data in the store", "message/"+id+"/opaque", rows[0].Opaque)
	}
	items, err := db.MailboxAfter(s.t.Context(), wa.DeviceID(s.start.User+".1"), 0, 10)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, it := range items {
		add("ciphertext in the store", fmt.Sprint("mailbox/", it.Device, "/", it.Seq), it.Cipher)
	}
	waiting, err := db.DuePending(s.t.Context(), webhook.EndpointID{App: wa.AppID(s.start.App)}, noon.Add(24*time.Hour), 10)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range waiting {
		add("a webhook that waits", "webhook/"+p.ID, p.Body)
	}
	return all
}

// SC6: the endpoint is down for 61 minutes, with a restart in the middle. Then the business is told of it, and nothing on the disk, or
// in a copy of it that was made meanwhile without the keys of the hour, can be opened. Source: spec/security.md section B9.
func TestContentOfANumberWithoutStorageIsGone(t *testing.T) {
	t.Parallel()
	down := atomic.Bool{}
	s := prepare(t, nil)
	s.hooks.Fault = func() child.Fault {
		if down.Load() {
			return child.Refuse
		}
		return child.None
	}
	s.up()
	s.subscribe()
	s.withoutStorage()
	c := canaries{}
	c.add("an outbound text", "Quetzalcoatl flies at dawn")
	c.add("an inbound text", "Huitzilopochtli answers at dusk")
	c.add("callback data", "Tezcatlipoca/0815")
	s.control("POST", "users/"+s.start.User+"/messages", map[string]any{"type": "text", "text": map[string]string{"body": "Hello"}})
	s.idle()
	s.control("POST", "users/"+s.start.User+"/actions", map[string]string{"do": "offline"})
	down.Store(true)
	body := child.Text(s.start.User, "Quetzalcoatl flies at dawn")
	body["biz_opaque_callback_data"] = "Tezcatlipoca/0815"
	id := s.send(body)
	s.control("POST", "users", map[string]any{"phone": "12025550100"})
	s.control("POST", "users/12025550100/messages", map[string]any{"type": "text", "text": map[string]string{"body": "Huitzilopochtli answers at dusk"}})
	s.idle()
	s.advance(30 * time.Minute)
	s.idle()
	s.down()

	c.singInFiles(t, s.options.Data)
	db := s.database()
	had := s.onDisk(db, id)
	v, kinds := s.briefVault(db, noon.Add(30*time.Minute)), map[string]bool{}
	for _, x := range had {
		plain, err := v.Open([]byte(x.ad), x.b)
		if err != nil {
			t.Errorf("%s, in its hour: %v", x.what, err)
		}
		if vault.IsBrief(x.b) {
			kinds[x.what] = true
		} else { // the starter user wrote while the number had a storage
			c.sing(t, x.what+" whose key lives longer", plain)
		}
	}
	if len(kinds) != 8 {
		t.Errorf("found %v", kinds)
	}
	db.Close()

	s.up() // the queue goes on where it was
	s.advance(20 * time.Minute)
	s.idle()
	s.advance(11 * time.Minute)
	s.idle()
	s.hooks.take()
	down.Store(false)
	told := 0 // how often the business was told that the message is over
	hear := func() { told += strings.Count(strings.Join(s.hooks.take(), ""), `"code":131035`) }
	for i := 0; i < 40 && told == 0; i++ {
		s.advance(time.Minute)
		s.idle()
		hear()
	}
	s.advance(2 * time.Minute)
	for i := 0; ; i++ { // the clock moves, and then what follows it
		keys, err := os.ReadFile(filepath.Join(s.options.Data, "brief.keys"))
		if err == nil && !bytes.Contains(keys, []byte("wrapped")) {
			break
		}
		if i == 200 {
			t.Fatalf("keys are left: %s, %v", keys, err)
		}
		s.advance(time.Minute)
		s.idle()
	}
	s.down()
	if hear(); told != 1 {
		t.Errorf("the business was told %d times that the message is over", told)
	}
	db = s.database()
	defer db.Close()
	v = s.briefVault(db, noon.Add(30*time.Minute)) // whoever sets the clock back finds no key
	for _, x := range append(had, s.onDisk(db, id)...) {
		plain, err := v.Open([]byte(x.ad), x.b)
		if vault.IsBrief(x.b) && !errors.Is(err, vault.ErrDestroyed) {
			t.Errorf("%s, after its hour: %v", x.what, err)
		}
		c.sing(t, x.what, plain)
	}
	c.singInFiles(t, s.options.Data)
}
