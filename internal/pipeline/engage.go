package pipeline

import (
	"context"
	"strings"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Templates knows the templates; it is an in-memory read.
type Templates interface {
	Template(id wa.TemplateID) (*template.Template, bool)
}

// Engagement says that a user did something about a message for the first time: answered it, with Mark 0, or opened the link
// behind the button of that mark.
type Engagement struct {
	ID   wa.MessageID
	Mark uint32
	At   int64
}

// engaged is what a user did about a message. What is said of the template is decided by the projector, which is the only
// reader of the journal that has the message's row and knows what was counted before.
type engaged struct {
	id     wa.MessageID
	number wa.PhoneNumberID
	user   wa.WaID
	at     int64
	button uint32
	link   bool // else it was answered
}

func (s *sketch) answered(r *record.Received) {
	if r.Quoted != "" {
		s.engaged = append(s.engaged, engaged{id: r.Quoted, number: r.Number, user: r.From, at: r.At, button: r.Button})
	}
}

func (s *sketch) clicked(r *record.Clicked) {
	s.engaged = append(s.engaged, engaged{id: r.ID, number: r.Number, user: r.User, at: r.At, button: r.Button, link: true})
}

// engage counts what users did about templates. It reads the store, which shows all batches before this one, and may be called
// again after an error. Source: spec/analytics.md section 5.
func (s *sketch) engage(ctx context.Context, store Store, templates Templates) error {
	if len(s.engaged) == 0 || templates == nil {
		return nil
	}
	var ids []wa.MessageID
	seen := map[wa.MessageID]bool{}
	for i := range s.engaged {
		if id := s.engaged[i].id; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	rows, err := store.Messages(ctx, ids)
	if err != nil {
		return err
	}
	before, err := store.Engaged(ctx, ids)
	if err != nil {
		return err
	}
	known := map[wa.MessageID]*Message{}
	for _, m := range rows {
		known[m.ID] = m
	}
	done := map[Engagement]bool{}
	for _, e := range before {
		done[Engagement{ID: e.ID, Mark: e.Mark}] = true
	}
	first := func(e *engaged, mark uint32) bool {
		k := Engagement{ID: e.id, Mark: mark}
		if done[k] {
			return false
		}
		done[k], k.At = true, e.at
		s.b.Engaged = append(s.b.Engaged, k)
		return true
	}
	for i := range s.engaged {
		e := &s.engaged[i]
		m := s.current(known[e.id], e.id)
		if m.Template == "" || m.SentAt == 0 || m.Number != e.number || m.User != e.user || e.at-m.SentAt > readWindow {
			continue
		}
		s.engagement(e, m, templates, first)
	}
	s.engaged = nil
	return nil
}

// current is the row of a message as this batch leaves it, for what is asked of it here; row is that of the store, if any.
func (s *sketch) current(row *Message, id wa.MessageID) Message {
	change, ok := s.rows[id]
	switch {
	case !ok && row == nil:
		return Message{}
	case !ok:
		return *row
	case row == nil:
		return *change
	}
	m := *row
	if change.SentAt != 0 {
		m.SentAt, m.Category = change.SentAt, change.Category
	}
	return m
}

func (s *sketch) engagement(e *engaged, m Message, templates Templates, first func(*engaged, uint32) bool) {
	add := func(what string) {
		k := analytics.Key{Subject: string(m.Template), What: what, Bucket: analytics.Bucket(e.at), Number: e.number}
		s.tally.bump(k)
		if m.Category == message.MarketingLite {
			k.What = analytics.Lite(what)
			s.tally.bump(k)
		}
	}
	if !e.link && first(e, 0) {
		add(analytics.Replied)
	}
	words := pressed(templates, m.Template, e)
	switch {
	case words == "":
	case !e.link:
		add(analytics.Clicked(analytics.QuickReplyButton, words))
	default:
		add(analytics.Clicked(analytics.LinkButton, words))
		if first(e, message.ButtonMark(words)) {
			add(analytics.Clicked(analytics.UniqueLinkButton, words))
		}
	}
}

// pressed are the words on the button that was pressed; empty when clicks on it do not count: they do on links and quick replies
// of marketing and utility templates, links that the template wants counted.
func pressed(templates Templates, id wa.TemplateID, e *engaged) string {
	if !e.link && e.button == 0 {
		return ""
	}
	t, ok := templates.Template(id)
	if !ok || t.Category == template.Authentication || e.link && t.UntrackedLink {
		return ""
	}
	kind := template.QuickReply
	if e.link {
		kind = template.URLButton
	}
	list := t.Words(kind)
	if e.link && e.button == 0 && len(list) == 1 {
		return list[0]
	}
	for _, words := range list {
		if message.ButtonMark(words) == e.button && strings.IndexByte(words, 0) < 0 {
			return words
		}
	}
	return ""
}
