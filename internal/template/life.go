package template

import (
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// life is what the rules remember of a template beyond what the API shows.
type life struct {
	Was          Status      `json:",omitempty"` // before ARCHIVED or IN_APPEAL
	Review       time.Time   `json:",omitzero"`  // PENDING, IN_APPEAL: when the reviewer decides; zero: a person does
	Resume       time.Time   `json:",omitzero"`  // PAUSED: when the pause ends; zero: it must be ended by hand
	Paused       time.Time   `json:",omitzero"`  // when the last pause began
	Resumed      time.Time   `json:",omitzero"`  // when it ended, until the rating changes
	Pauses       int         `json:",omitempty"` // how often it was paused for low quality
	Recategorise time.Time   `json:",omitzero"`  // when Correct becomes the category
	Archived     time.Time   `json:",omitzero"`  // when it was archived
	Used         time.Time   `json:",omitzero"`  // last create, edit, send, appeal or unarchive; of sends to the day
	Removed      time.Time   `json:",omitzero"`  // when it was deleted; PENDING_DELETION: when its business asked for it
	Asked        time.Time   `json:",omitzero"`  // PENDING_DELETION: when its messages were looked at last
	Lock         time.Time   `json:",omitzero"`  // until when a deleted name and language stay taken
	Edits        []time.Time `json:",omitempty"` // of the approved template in the last 30 days
	Ever         bool        `json:",omitempty"` // it was approved once
	Outbox       []Notice    `json:",omitempty"` // what the business has not been told yet
}

// Spans of a template's life. Sources: spec/templates.md sections 1, 4.5 and 13.2.
const (
	lockUsed     = 30 * day // of name and language after the deletion of a template that was approved
	lockUnused   = time.Minute
	rememberGone = 30 * day
	deliverFor   = 30 * day        // PENDING_DELETION lasts, at most
	deliverCheck = 5 * time.Minute // until its messages are looked at again (ours)
	archiveAfter = 365 * day       // without create, edit, send, appeal or unarchive
	archivedLife = 28 * day
	firstPause   = 3 * time.Hour
	secondPause  = 6 * time.Hour
	noticePeriod = day // of a change of category
	appealTime   = day // in which an appeal is decided; spec/templates.md section 11
	resumeAfter  = 5 * time.Minute
)

// due is when the template changes by itself next; zero for never.
func (t *Template) due() (at time.Time) {
	sooner := func(x time.Time) {
		if !x.IsZero() && (at.IsZero() || x.Before(at)) {
			at = x
		}
	}
	switch t.Status {
	case Deleted:
		sooner(t.Removed.Add(rememberGone))
		if t.Lock.After(at) {
			at = t.Lock
		}
		return at
	case Archived:
		return t.Archived.Add(archivedLife)
	case Pending:
		sooner(t.Review)
	case Paused:
		sooner(t.Resume)
	case Approved, Rejected:
		if !t.Sample && !t.Used.IsZero() {
			sooner(t.Used.Add(archiveAfter))
		}
	case PendingDeletion:
		return t.Asked.Add(deliverCheck)
	case InAppeal:
		sooner(t.Review)
	case Disabled, LimitExceeded, Flagged, LockedStatus:
	}
	if t.Correct != "" {
		sooner(t.Recategorise)
	}
	return at
}

// step lets what is due at now happen to t.
func (s *Service) step(t *Template, now time.Time) {
	past := func(x time.Time) bool { return !x.IsZero() && !x.After(now) }
	switch {
	case t.Correct != "" && past(t.Recategorise):
		t.recategorise()
	case t.Status == Pending:
		t.decide(review(t, s.look(t.WABA).live), now)
	case t.Status == InAppeal: // nobody found it wrong
		t.decide(Verdict{Reason: t.Rejected}, now)
	case t.Status == Paused:
		t.unpause(now)
	case t.Status == Archived, t.Status == PendingDeletion:
		t.remove(now)
	default:
		t.archive(now)
	}
}

// decide ends a review or an appeal.
func (t *Template) decide(v Verdict, now time.Time) {
	t.Review, t.Was = time.Time{}, ""
	if v.Reason == "" {
		t.Status, t.Rejected, t.Ever = Approved, "", true
		t.tellStatus(string(Approved), "NONE", "")
		return
	}
	t.Status, t.Rejected = Rejected, v.Reason
	extra := ""
	if v.Why != "" {
		extra = `,"rejection_info":` + string(append(quote(append(quote([]byte(`{"reason":`), v.Why), `,"recommendation":`...), v.Recommendation), '}'))
	}
	t.tellStatus(string(Rejected), v.Reason, extra)
	t.Used = now
}

func (t *Template) unpause(now time.Time) {
	t.Status, t.Resume, t.Resumed = Approved, time.Time{}, now
	t.tellStatus(string(Approved), "NONE", otherInfo("UNPAUSE", "Your template can be sent again."))
}

func (t *Template) archive(now time.Time) {
	t.Was, t.Status, t.Archived = t.Status, Archived, now
	t.tellStatus(string(Archived), "NONE", "")
}

// remove deletes the template. Its name stays taken from the moment its business asked for it.
func (t *Template) remove(now time.Time) {
	if t.Status != PendingDeletion {
		t.lock(now)
	}
	t.end(Deleted, now)
	t.tellStatus(string(Deleted), "NONE", "")
}

// removeLater deletes the template when its messages have been delivered. Source: spec/templates.md section 4.4.
func (t *Template) removeLater(now time.Time) {
	t.lock(now)
	t.end(PendingDeletion, now)
	t.Asked = now
	t.tellStatus(string(PendingDeletion), "", "")
}

// lock keeps name and language taken for a while.
func (t *Template) lock(now time.Time) {
	t.Lock = now.Add(lockUnused)
	if t.Ever {
		t.Lock = now.Add(lockUsed)
	}
}

func (t *Template) end(s Status, now time.Time) {
	t.Status, t.Removed = s, now
	t.Review, t.Resume, t.Correct, t.Recategorise = time.Time{}, time.Time{}, "", time.Time{}
}

// recategorise makes the planned category the category. What should be an authentication template cannot become one: its
// text is not the fixed one. Source: spec/templates.md section 12.
func (t *Template) recategorise() {
	to := t.Correct
	t.Correct, t.Recategorise = "", time.Time{}
	if to == Authentication {
		t.Status, t.Rejected = Rejected, "INCORRECT_CATEGORY"
		t.tellStatus(string(Rejected), t.Rejected, "")
		return
	}
	if t.Category == Utility && to == Marketing {
		t.Missold++
	}
	t.Previous, t.Category = t.Category, to
	t.tell("template_category_update", quoted(quoted(nil, `,"previous_category":`, string(t.Previous)), `,"new_category":`, string(to)))
}

// rate gives the template another quality score; a red one pauses it, the third time for good. Of a template that was RED when its
// pause ended, the same again is the next time. Source: spec/quality.md section 3.1.
func (t *Template) rate(q Quality, byHand bool, now time.Time) {
	if q == t.Quality && !byHand && t.Resumed.IsZero() {
		return
	}
	if q != t.Quality {
		t.Resumed = time.Time{}
		b := quoted([]byte(`{`), `"previous_quality_score":`, string(t.Quality))
		b = append(quoted(b, `,"new_quality_score":`, string(q)), ',')
		t.put("message_template_quality_update", append(t.appendIdentity(b), '}'))
		t.Quality, t.QualityAt = q, now
	}
	if q != QualityRed || t.Status != Approved {
		return
	}
	t.Pauses++
	t.Paused, t.Resumed = now, time.Time{}
	switch {
	case byHand && t.Pauses <= 2:
		t.Status, t.Resume = Paused, time.Time{}
		t.tellStatus(string(Paused), "NONE", otherInfo("RATE_LIMITING_PAUSE", "Your template has been paused because of how people took its first messages. Unpause it to send it again."))
	case t.Pauses == 1:
		t.Status, t.Resume = Paused, now.Add(firstPause)
		t.tellStatus(string(Paused), "NONE", otherInfo("FIRST_PAUSE", "Your template has been paused for 3 hours because of low quality."))
	case t.Pauses == 2:
		t.Status, t.Resume = Paused, now.Add(secondPause)
		t.tellStatus(string(Paused), "NONE", otherInfo("SECOND_PAUSE", "Your template has been paused for 6 hours because of low quality."))
	default:
		t.disable(now)
	}
}

func (t *Template) disable(now time.Time) {
	t.Status, t.Resume = Disabled, time.Time{}
	t.tellStatus(string(Disabled), "NONE", `,"disable_info":{"disable_date":`+itoa(int(now.Unix()))+`}`+
		otherInfo("DISABLED", "Your template has been disabled because of low quality."))
}

// taken says how long a name stays taken after its template was deleted: "30 days", "2 hours".
func taken(d time.Duration) string {
	switch {
	case d > 2*day:
		return itoa(int((d+day-1)/day)) + " days"
	case d > 2*time.Hour:
		return itoa(int((d+time.Hour-1)/time.Hour)) + " hours"
	}
	return itoa(int((d+time.Minute-1)/time.Minute)) + " minutes"
}

// locked says whether the name and language of a deleted template are still taken. Source: spec/templates.md section 1.
func (v *view) locked(name, language string, now time.Time) error {
	gone := v.gone
	if t := v.byKey[key{name, language}]; t != nil && t.Status == PendingDeletion {
		gone = []*Template{t}
	}
	for _, t := range gone {
		if t.Name == name && t.Language == language && (t.Lock.After(now) || t.Status == PendingDeletion) {
			l := languageName(language)
			return wa.ErrTemplateBeingDeleted.User(wa.ErrTemplateBeingDeleted.UserTitle, "New "+l+" content can't be added while the existing "+
				l+" content is being deleted. Try again in "+taken(max(t.Lock.Sub(now), time.Minute))+" or create a new message template.")
		}
	}
	return nil
}
