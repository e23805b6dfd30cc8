package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// atOnce is how many calls are made at a time.
const atOnce = 32

// each calls f for every one of list.
func each(list []string, f func(int, string) error) error {
	var wg sync.WaitGroup
	turn := make(chan struct{}, atOnce)
	errs := make([]error, len(list))
	for i, x := range list {
		turn <- struct{}{}
		wg.Go(func() {
			errs[i] = f(i, x)
			<-turn
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err // those of the others say the same
		}
	}
	return nil
}

func (p *player) send(ctx context.Context, s *SendStep) error {
	to := s.To.numbers()
	for people := len(to); len(to) < s.Messages; {
		to = append(to, to[len(to)-people])
	}
	ids := make([]string, len(to))
	codes := make([]int, len(to))
	rate := s.PerSecond
	if rate <= 0 {
		rate = len(to)
	}
	for from := 0; from < len(to); from += rate {
		part := to[from:min(from+rate, len(to))]
		if err := each(part, func(i int, user string) (err error) {
			ids[from+i], codes[from+i], err = p.post(ctx, s, user)
			return err
		}); err != nil {
			return err
		}
		if s.PerSecond > 0 {
			if err := p.tick(ctx, map[string]any{"advance": "1s"}); err != nil {
				return err
			}
		}
	}
	if err := p.idle(ctx); err != nil {
		return err
	}
	refused, accepted := map[string]int{}, 0
	for _, c := range codes {
		if c == 0 {
			accepted++
		} else {
			refused[strconv.Itoa(c)]++
		}
	}
	then := p.outcome(ids)
	what := s.Template
	if what == "" {
		what = strconv.Quote(s.Text)
	}
	if s.Messages > max(s.To.Count, 1) {
		what += fmt.Sprintf(", %d messages", s.Messages)
	}
	p.line("", "send", fmt.Sprintf("%s to %s: %d accepted%s%s", what, people(s.To.Count), accepted, refusals(refused), outcomes(then)))
	if !maps.Equal(refused, orEmpty(s.Refused)) {
		return fmt.Errorf("refused%s, want%s: %w", counts("", refused), counts("", s.Refused), ErrExpectation)
	}
	for k, n := range s.Then {
		if then[k] != n {
			return fmt.Errorf("%s: %d, want %d: %w", k, then[k], n, ErrExpectation)
		}
	}
	p.met += len(s.Then) + len(s.Refused)
	return nil
}

func orEmpty(m map[string]int) map[string]int {
	if m == nil {
		return map[string]int{}
	}
	return m
}

// post sends one message; code is that of the refusal.
func (p *player) post(ctx context.Context, s *SendStep, user string) (id string, code int, err error) {
	body := map[string]any{"messaging_product": "whatsapp", "to": "+" + user, "type": "text", "text": map[string]string{"body": s.Text}}
	if s.Template != "" {
		name, ok := p.templates[s.Template]
		if !ok {
			name = s.Template
		}
		body["type"], body["template"] = "template", map[string]any{"name": name, "language": map[string]string{"code": "en_US"}}
		delete(body, "text")
	}
	if p.number == "" {
		return "", 0, errors.New("nobody to send: add a number first")
	}
	a, err := p.graph(ctx, http.MethodPost, p.number+"/messages", body)
	if err != nil {
		return "", 0, err
	}
	if a.status != http.StatusOK {
		if code = a.code(); code == 0 {
			return "", 0, fmt.Errorf("send: HTTP %d %s", a.status, a.body)
		}
		return "", code, nil
	}
	var ok struct{ Messages []struct{ ID string } }
	if err := json.Unmarshal(a.body, &ok); err != nil || len(ok.Messages) != 1 {
		return "", 0, fmt.Errorf("send: %s", a.body)
	}
	return ok.Messages[0].ID, 0, nil
}

// outcome counts what became of messages: by status, and by code of those that failed.
func (p *player) outcome(ids []string) map[string]int {
	p.mail.mu.Lock()
	defer p.mail.mu.Unlock()
	n := map[string]int{}
	for _, id := range ids {
		list := slices.Clone(p.mail.statuses[id])
		slices.Sort(list)
		for _, s := range slices.Compact(list) { // webhooks may repeat
			n[s]++
		}
	}
	return n
}
