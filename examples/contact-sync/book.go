package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// contact is a row of the CRM. Times are Unix seconds, as webhooks have them.
type contact struct {
	WaID      string `json:"wa_id"`
	Name      string `json:"name,omitempty"`
	LastWrote int64  `json:"last_wrote,omitempty"`
	Marketing string `json:"marketing,omitempty"` // "stop" or "resume", as the user said last
	SaidAt    int64  `json:"said_at,omitempty"`
}

// book is all contacts, in memory and in a file. A CRM would use its database and a transaction.
type book struct {
	path string

	mu       sync.Mutex
	contacts map[string]contact
}

func open(path string) (*book, error) {
	b := &book{path: path, contacts: map[string]contact{}}
	text, err := os.ReadFile(path) //nolint:gosec // whoever starts the program names the file
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, err
	}
	var list []contact
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	for _, c := range list {
		b.contacts[c.WaID] = c
	}
	return b, nil
}

// list returns the contacts by number.
func (b *book) list() []contact {
	b.mu.Lock()
	defer b.mu.Unlock()
	return sorted(b.contacts)
}

func sorted(m map[string]contact) []contact {
	return slices.SortedFunc(maps.Values(m), func(x, y contact) int { return strings.Compare(x.WaID, y.WaID) })
}

// payload is the part of a webhook that this program knows. Everything else, also what comes to be one day, is skipped.
type payload struct {
	Entry []struct {
		Changes []struct {
			Value struct {
				Contacts []struct {
					WaID    string `json:"wa_id"`
					Profile struct {
						Name string `json:"name"`
					} `json:"profile"`
				} `json:"contacts"`
				Messages []struct {
					From      string `json:"from"`
					Timestamp string `json:"timestamp"`
				} `json:"messages"`
				Preferences []struct {
					WaID      string `json:"wa_id"`
					Category  string `json:"category"`
					Value     string `json:"value"`
					Timestamp int64  `json:"timestamp"`
				} `json:"user_preferences"`
			} `json:"value"`
		} `json:"changes"`
	} `json:"entry"`
}

// apply takes in a webhook, all of it or nothing. What comes again, or late, changes nothing: newer times win.
func (b *book) apply(body []byte) error {
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return fmt.Errorf("read webhook: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	next := maps.Clone(b.contacts)
	for _, e := range p.Entry {
		for _, change := range e.Changes {
			v := &change.Value
			for _, c := range v.Contacts {
				known := next[c.WaID]
				known.WaID, known.Name = c.WaID, c.Profile.Name
				next[c.WaID] = known
			}
			for _, m := range v.Messages {
				at, err := strconv.ParseInt(m.Timestamp, 10, 64)
				if known, ok := next[m.From]; ok && err == nil && at > known.LastWrote {
					known.LastWrote = at
					next[m.From] = known
				}
			}
			for _, u := range v.Preferences {
				if known := next[u.WaID]; u.Category == "marketing_messages" && u.Timestamp >= known.SaidAt {
					known.WaID, known.Marketing, known.SaidAt = u.WaID, u.Value, u.Timestamp
					next[u.WaID] = known
				}
			}
		}
	}
	if maps.Equal(next, b.contacts) {
		return nil
	}
	if err := b.save(next); err != nil {
		return err
	}
	b.contacts = next
	return nil
}

// save replaces the file in one step, so that a crash leaves the old one or the new one.
func (b *book) save(contacts map[string]contact) (err error) {
	f, err := os.CreateTemp(filepath.Dir(b.path), ".contacts-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	e := json.NewEncoder(f)
	e.SetIndent("", "  ")
	if err := errors.Join(e.Encode(sorted(contacts)), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), b.path)
}
