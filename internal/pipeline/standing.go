package pipeline

import (
	"fmt"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// stand writes what the pair has come to.
func (l *lane) stand(p *peer) {
	s := &p.standing
	l.out.write(&record.Standing{
		Number: p.key.Number, User: p.key.User, At: l.now(), ReferralAt: s.ReferralAt, EntryAt: s.EntryAt, Hash: s.Hash,
		OptedOut: s.OptedOut, MovedTo: s.MovedTo,
	}, 128)
	l.out.touch(&p.pin)
}

// enter opens the free entry point window when the message just sent is what opens it.
func (l *lane) enter(p *peer, m *letter, now int64) {
	if m.PricingType == message.PriceFreeEntry && message.EntryOpens(p.standing.ReferralAt, p.standing.EntryAt, now) {
		p.standing.EntryAt = now
		l.stand(p)
	}
}

// identified notes which identity of the user the business is told.
func (l *lane) identified(p *peer, hash string) {
	if p.standing.Hash != hash {
		p.standing.Hash = hash
		l.stand(p)
	}
}

// recognise tells the business when a user has another identity than the one it knows. It is called whenever the user was
// looked up: what is compared is stored, so a crash between the user's change and the notice repeats the look, and loses
// nothing.
func (l *lane) recognise(p *peer) error {
	if !p.ready() || p.user == nil || p.standing.Hash == "" || p.standing.Hash == p.user.IdentityHash {
		return nil
	}
	n, ok := l.p.o.Numbers.Number(p.key.Number)
	if !ok || !n.IdentityCheck {
		return nil
	}
	a := l.arrival(n, p.key.User)
	err := l.notice(&Notice{
		WABA: n.WABA, Number: n.ID, Field: fieldMessages, Value: message.AppendIdentity(nil, a, p.user.Name, p.user.IdentityHash),
	})
	if err != nil {
		return fmt.Errorf("tell of a changed identity: %w", err) // the next look compares again
	}
	l.identified(p, p.user.IdentityHash)
	return nil
}

// fieldMessages and its neighbours are the webhook fields that lanes write notices for.
const (
	fieldMessages    = "messages"
	fieldPreferences = "user_preferences"
	fieldUserID      = "user_id_update"
)

// arrival is the head of a system message about the user.
func (l *lane) arrival(n *business.Number, user wa.WaID) *message.Arrival {
	return &message.Arrival{ID: l.newID(user, false), From: user, UserID: l.userID(n.WABA, user), At: l.now(), Business: n.WaID}
}

func (l *lane) userID(waba wa.WABAID, user wa.WaID) string {
	if l.p.o.UserIDs == nil {
		return ""
	}
	return l.p.o.UserIDs.UserID(waba, user)
}

// prefer notes whether the user wants marketing messages of the number, and tells the business. Saying the same again
// changes nothing. Source: spec/webhooks.md section 26.
func (l *lane) prefer(p *peer, n *business.Number, out bool) error {
	if p.standing.OptedOut == out {
		return nil
	}
	name := ""
	if p.user != nil {
		name = p.user.Name
	}
	err := l.notice(&Notice{
		WABA: n.WABA, Number: n.ID, Field: fieldPreferences,
		Value: message.AppendPreference(nil, p.key.User, l.userID(n.WABA, p.key.User), name, out, l.now()),
	})
	if err != nil {
		return err
	}
	p.standing.OptedOut = out
	l.stand(p)
	return nil
}
