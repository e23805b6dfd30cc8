package app_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/test/child"
)

// canaries are words that must be found nowhere.
type canaries map[string][]byte

// add also adds the usual spellings of a word.
func (c canaries) add(name, word string) {
	b := []byte(word)
	c[name] = b
	c[name+" in hex"] = []byte(hex.EncodeToString(b))
	c[name+" in base64"] = []byte(base64.StdEncoding.EncodeToString(b))[:len(b)] // the beginning, free of padding
	c[name+" in UTF-16"] = bytes.ReplaceAll(append([]byte(nil), b...), nil, []byte{0})
}

// sing looks for the canaries in text.
func (c canaries) sing(t *testing.T, where string, text []byte) {
	t.Helper()
	for name, word := range c {
		if i := bytes.Index(text, word); i >= 0 {
			t.Errorf("%s is readable in %s: …%q…", name, where, text[max(0, i-60):min(len(text), i+len(word)+20)])
		}
	}
}

func (c canaries) singInFiles(t *testing.T, dir string) {
	t.Helper()
	files, found := 0, false
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		files++
		found = found || bytes.Contains(b, []byte("106540352242922")) // ids are no secret: this is how we know that we search well
		c.sing(t, path[len(dir):], b)
		return err
	})
	if err != nil || files < 5 || !found {
		t.Errorf("%d files searched, something found %v, %v", files, found, err)
	}
}

func TestNothingIsReadableAtRest(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	c := canaries{}
	c.add("the access token", s.start.Token)
	c.add("the app secret", s.start.Secret)
	c.add("the verify token", s.start.Verify)
	c.add("the PIN", "739164")
	c.add("an outbound text", "Quetzalcoatl flies at dawn")
	c.add("an inbound text", "Huitzilopochtli answers at dusk")
	c.add("callback data", "Tezcatlipoca/0815")
	c.add("a text in an offline user's mailbox", "Xochiquetzal waits")
	key, err := os.ReadFile(filepath.Join(s.options.Data, "root.key"))
	if err != nil {
		t.Fatal(err)
	}

	body := child.Text(s.start.User, "Quetzalcoatl flies at dawn")
	body["biz_opaque_callback_data"] = "Tezcatlipoca/0815"
	s.send(body)
	s.control("POST", "users/"+s.start.User+"/messages", map[string]any{
		"type": "text", "text": map[string]string{"body": "Huitzilopochtli answers at dusk"},
	})
	s.idle()
	s.control("POST", "users/"+s.start.User+"/actions", map[string]string{"do": "offline"})
	s.send(child.Text(s.start.User, "Xochiquetzal waits"))
	if a := s.graph("POST", s.start.Number, map[string]string{"pin": "739164"}); a.Status != 200 {
		t.Errorf("set the PIN: HTTP %d %s", a.Status, a.Body)
	}
	// A call that fails must not put the token into the log either.
	if _, err := s.place.Graph(t.Context(), "GET", version+"/"+s.start.Number+"?access_token="+s.start.Token, "", nil); err != nil {
		t.Fatal(err)
	}
	s.idle()
	c.singInFiles(t, s.options.Data)
	s.down()
	c.singInFiles(t, s.options.Data)
	s.numberKeys(c)
	c.singInFiles(t, s.options.Data)
	// The root key is where the operator wants it, and nowhere else.
	c.add("the root key", string(rootKey(t, key)))
	c.sing(t, "the log", []byte(s.logs.String()))
	if len(s.logs.String()) < 100 {
		t.Error("nothing was logged at level debug")
	}
}

// numberKeys adds pieces of the starter number's private keys.
func (s *stand) numberKeys(c canaries) {
	s.t.Helper()
	db := s.database()
	defer db.Close()
	number := wa.PhoneNumberID(s.start.Number)
	sealed, err := db.NumberKeys(s.t.Context(), number)
	if err != nil || sealed == nil {
		s.t.Fatalf("keys of the number: %v", err)
	}
	plain, err := s.vault(db).Open([]byte("number/"+s.start.Number+"/keys"), sealed)
	if err != nil || len(plain) < 200 {
		s.t.Fatalf("%d bytes of keys, %v", len(plain), err)
	}
	for at := 0; at+12 <= len(plain); at += 12 { // twelve bytes are nowhere by chance
		c.add(fmt.Sprintf("byte %d of the private keys", at), string(plain[at:at+12]))
	}
}

// rootKey is the line of the file that holds the key.
func rootKey(t *testing.T, file []byte) (key []byte) {
	t.Helper()
	for line := range bytes.Lines(file) {
		if line = bytes.TrimSpace(line); len(line) > 30 && line[0] != '#' {
			key = line
		}
	}
	if key == nil {
		t.Fatalf("no key in %q", file)
	}
	return key
}

func TestRetention(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.control("POST", "users", map[string]any{"phone": "12025550100", "behaviour": map[string]any{"offline": true}})
	id := s.send(child.Hello("12025550100", ""))
	s.idle()
	s.down()
	sealed := s.content(id)
	if text, err := s.open(id, sealed); err != nil || len(text) == 0 {
		t.Fatalf("right after it was sent: %v", err)
	}
	s.up()
	s.advance(29 * 24 * time.Hour)
	s.idle()
	s.advance(11 * time.Minute)
	s.down()
	if _, err := s.open(id, sealed); err != nil {
		t.Errorf("after 29 days: %v", err)
	}
	s.up()
	s.advance(32 * time.Hour)
	for i := 0; ; i++ { // the clock moves, and then what follows it
		s.down()
		if _, err := s.open(id, sealed); err != nil {
			break
		}
		if i == 20 {
			t.Fatal("content is readable after more than 30 days")
		}
		s.up()
		s.advance(11 * time.Minute)
		s.idle()
	}
	s.up()
	s.control("POST", "users/12025550100/actions", map[string]string{"do": "online"})
	s.idle()
}

// The keys of a number that was deleted last as long as what it sent may be on its way, and no longer.
func TestKeysOfADeletedNumber(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.send(child.Hello("12025550100", ""))
	s.idle()
	if a := s.graph("DELETE", s.start.Business, nil); a.Status != 200 {
		t.Fatalf("HTTP %d %s", a.Status, a.Body)
	}
	keys := func() error {
		s.t.Helper()
		db := s.database()
		defer db.Close()
		sealed, err := db.NumberKeys(t.Context(), wa.PhoneNumberID(s.start.Number))
		if err == nil {
			_, err = s.vault(db).Open([]byte("number/"+s.start.Number+"/keys"), sealed)
		}
		return err
	}
	s.advance(29 * 24 * time.Hour)
	s.advance(11 * time.Minute)
	s.idle()
	s.down()
	if err := keys(); err != nil {
		t.Errorf("after 29 days: %v", err)
	}
	s.up()
	s.advance(25 * time.Hour)
	for i := 0; ; i++ {
		s.down()
		if err := keys(); errors.Is(err, vault.ErrDestroyed) {
			break
		} else if i == 20 {
			t.Fatalf("after more than 30 days: %v", err)
		}
		s.up()
		s.advance(11 * time.Minute)
		s.idle()
	}
	s.up()
	s.idle()
}

// content is the sealed content of a message in the store of a platform that does not run.
func (s *stand) content(id string) []byte {
	s.t.Helper()
	db := s.database()
	defer db.Close()
	rows, err := db.Messages(s.t.Context(), []wa.MessageID{wa.MessageID(id)})
	if err != nil || len(rows) != 1 {
		s.t.Fatalf("%v, %v", rows, err)
	}
	return rows[0].Content
}

func (s *stand) database() *store.Store {
	s.t.Helper()
	db, err := store.Open(s.t.Context(), store.Options{Dir: s.options.Data})
	if err != nil {
		s.t.Fatal(err)
	}
	return db
}

// open opens sealed content with the keys that are left.
func (s *stand) open(id string, sealed []byte) ([]byte, error) {
	s.t.Helper()
	db := s.database()
	defer db.Close()
	return s.vault(db).Open([]byte("message/"+id+"/body"), sealed)
}

func (s *stand) vault(db *store.Store) *vault.Vault {
	s.t.Helper()
	root, err := vault.ReadRootFile(filepath.Join(s.options.Data, "root.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	v, err := vault.Open(s.t.Context(), vault.Options{Root: root, Store: db, Clock: clock.System()})
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}
