package child

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Update is one status or one inbound message as a webhook brought it.
type Update struct {
	ID      string // wamid
	Status  string // empty for an inbound message
	Number  string // phone number id
	User    string // wa_id
	Text    string // of an inbound text
	Content string // all of the change, as it came
}

// Key names an update: repeats have the same.
func (u *Update) Key() string { return u.ID + "/" + u.Status }

// Fault is how a receiver misbehaves for one request.
type Fault int

// The faults. Every one but None and Slow makes the platform try again.
const (
	None   Fault = iota
	Slow         // answers late, and then well
	Refuse       // answers 500
	Cut          // closes the connection without an answer
)

// Receiver is the endpoint of a business. It keeps every update that it answered with 200.
type Receiver struct {
	Secret, Verify string
	Fault          func() Fault // nil never misbehaves
	Wait           func()       // how long Slow takes

	mu       sync.Mutex
	updates  map[string]*Update
	order    []*Update
	repeats  int
	refused  int
	problems []string
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodGet {
		q := req.URL.Query()
		if q.Get("hub.mode") != "subscribe" || q.Get("hub.verify_token") != r.Verify {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, q.Get("hub.challenge"))
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender died
	}
	mac := hmac.New(sha256.New, []byte(r.Secret))
	mac.Write(body)
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); req.Header.Get("X-Hub-Signature-256") != want {
		r.problem("signature %q, want %q", req.Header.Get("X-Hub-Signature-256"), want)
	}
	fault := None
	if r.Fault != nil {
		fault = r.Fault()
	}
	switch fault {
	case Refuse, Cut:
		r.mu.Lock()
		r.refused++
		r.mu.Unlock()
		if fault == Refuse {
			http.Error(w, "try again", http.StatusInternalServerError)
			return
		}
		panic(http.ErrAbortHandler)
	case Slow:
		r.Wait()
	}
	r.keep(body)
}

func (r *Receiver) keep(body []byte) {
	list, err := parse(body)
	if err != nil {
		r.problem("payload: %v: %.300s", err, body)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.updates == nil {
		r.updates = map[string]*Update{}
	}
	for i := range list {
		u := &list[i]
		old, again := r.updates[u.Key()]
		switch {
		case !again:
			r.updates[u.Key()] = u
			r.order = append(r.order, u)
		case old.Content != u.Content:
			r.problems = append(r.problems, fmt.Sprintf("a repeat differs:\n  %s\n  %s", old.Content, u.Content))
		default:
			r.repeats++
		}
	}
}

func parse(body []byte) (list []Update, err error) {
	var p struct {
		Object string `json:"object"`
		Entry  []struct {
			ID      string            `json:"id"`
			Changes []json.RawMessage `json:"changes"`
		} `json:"entry"`
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, err
	}
	for _, e := range p.Entry {
		for _, raw := range e.Changes {
			var c struct {
				Value struct {
					Metadata struct {
						Number string `json:"phone_number_id"`
					} `json:"metadata"`
					Statuses []struct {
						ID        string `json:"id"`
						Status    string `json:"status"`
						Recipient string `json:"recipient_id"`
					} `json:"statuses"`
					Messages []struct {
						ID   string `json:"id"`
						From string `json:"from"`
						Text struct {
							Body string `json:"body"`
						} `json:"text"`
					} `json:"messages"`
				} `json:"value"`
			}
			if err := json.Unmarshal(raw, &c); err != nil {
				return list, err
			}
			v := &c.Value
			for _, s := range v.Statuses {
				list = append(list, Update{s.ID, s.Status, v.Metadata.Number, s.Recipient, "", string(raw)})
			}
			for _, m := range v.Messages {
				list = append(list, Update{m.ID, "", v.Metadata.Number, m.From, m.Text.Body, string(raw)})
			}
			if len(v.Statuses)+len(v.Messages) != 1 {
				return list, fmt.Errorf("a change with %d updates", len(v.Statuses)+len(v.Messages))
			}
		}
	}
	return list, nil
}

func (r *Receiver) problem(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// Problems returns what must not have happened: wrong signatures, unreadable payloads, repeats with other content.
func (r *Receiver) Problems() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.problems...)
}

// Find returns the update with this wamid and status.
func (r *Receiver) Find(id, status string) (Update, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u, ok := r.updates[id+"/"+status]
	if !ok {
		return Update{}, false
	}
	return *u, true
}

// Counts tells how many updates came, how many repeats of them, and how many requests were refused.
func (r *Receiver) Counts() (updates, repeats, refused int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.updates), r.repeats, r.refused
}

// Updates returns every update, in the order of their first arrival.
func (r *Receiver) Updates() []Update {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]Update, len(r.order))
	for i, u := range r.order {
		list[i] = *u
	}
	return list
}
