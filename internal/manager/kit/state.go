package kit

import (
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
)

// Tag is a short word in a colour.
func Tag(tone Tone, word string) html.Node {
	return html.Span(html.Class("tag", string(tone)), html.Text(word))
}

// Dot is a word with a dot before it.
func Dot(tone Tone, word string) html.Node {
	return html.Span(html.Class("dot", string(tone)), html.Text(word))
}

// state is how a value of the API looks: its tone and the key of its word.
type state struct {
	tone Tone
	key  string
}

// States are the values of the API that pages show, each with one look everywhere. Where a word means different things on different
// objects, it is of the same tone on all.
var states = map[string]state{
	"CONNECTED":                {OK, "state.connected"},
	"PENDING":                  {Warn, "state.pending"},
	"OFFLINE":                  {Mute, "state.offline"},
	"DISCONNECTED":             {Mute, "state.disconnected"},
	"UNVERIFIED":               {Warn, "state.unverified"},
	"NOT_VERIFIED":             {Mute, "state.not_verified"},
	"VERIFIED":                 {OK, "state.verified"},
	"EXPIRED":                  {Bad, "state.expired"},
	"FLAGGED":                  {Warn, "state.flagged"},
	"RESTRICTED":               {Bad, "state.restricted"},
	"RATE_LIMITED":             {Warn, "state.rate_limited"},
	"BANNED":                   {Bad, "state.banned"},
	"DELETED":                  {Mute, "state.deleted"},
	"MIGRATED":                 {Mute, "state.migrated"},
	"APPROVED":                 {OK, "state.approved"},
	"AVAILABLE_WITHOUT_REVIEW": {OK, "state.without_review"},
	"DECLINED":                 {Bad, "state.declined"},
	"REJECTED":                 {Bad, "state.rejected"},
	"PENDING_REVIEW":           {Warn, "state.in_review"},
	"PENDING_SUBMISSION":       {Mute, "state.not_submitted"},
	"IN_REVIEW":                {Warn, "state.in_review"},
	"NONE":                     {Mute, "state.none"},
	"FAILED":                   {Bad, "state.failed"},
	"PAUSED":                   {Warn, "state.paused"},
	"DISABLED":                 {Bad, "state.disabled"},
	"ARCHIVED":                 {Mute, "state.archived"},
	"IN_APPEAL":                {Warn, "state.in_appeal"},
	"PENDING_DELETION":         {Mute, "state.deleting"},
	"LIMIT_EXCEEDED":           {Bad, "state.limit_exceeded"},
	"ACTIVE":                   {OK, "state.active"},
	"INACTIVE":                 {Mute, "state.inactive"},
	"DRAFT":                    {Mute, "state.draft"},
	"PUBLISHED":                {OK, "state.published"},
	"DEPRECATED":               {Mute, "state.deprecated"},
	"THROTTLED":                {Warn, "state.throttled"},
	"BLOCKED":                  {Bad, "state.blocked"},
	"SENT":                     {Info, "state.sent"},
	"DELIVERED":                {OK, "state.delivered"},
	"READ":                     {OK, "state.read"},
	"LIVE":                     {OK, "state.live"},
	"SANDBOX":                  {Info, "state.sandbox"},
	"ADMIN":                    {Info, "state.admin"},
	"EMPLOYEE":                 {Mute, "state.employee"},
}

var qualities = map[string]state{
	"GREEN":   {OK, "state.quality_green"},
	"YELLOW":  {Warn, "state.quality_yellow"},
	"RED":     {Bad, "state.quality_red"},
	"UNKNOWN": {Mute, "state.quality_unknown"},
	"NA":      {Mute, "state.quality_unknown"},
}

// State is a value of the API with the word for it; the value itself is the tip. One that is not known here is shown as it is.
func State(l i18n.Lang, value string) html.Node {
	s, ok := states[value]
	if !ok {
		return Tag(Mute, value)
	}
	return html.Span(html.Class("tag", string(s.tone)), html.TitleAttr(value), html.Text(l.T(s.key)))
}

// Quality is a rating with the word for it.
func Quality(l i18n.Lang, rating string) html.Node {
	s, ok := qualities[rating]
	if !ok {
		s = qualities["UNKNOWN"]
	}
	return html.Span(html.Class("dot", string(s.tone)), html.TitleAttr(rating), html.Text(l.T(s.key)))
}

// Step is a part of something done in order.
type Step struct {
	Title  string
	Done   bool
	Now    bool
	Detail html.Node
}

// Steps are parts in order: done ones have a tick.
func Steps(l i18n.Lang, steps ...Step) html.Node {
	number := 0
	return html.Ol(html.Class("steps"), html.Map(steps, func(s Step) html.Node {
		number++
		return html.Li(html.If(s.Now, html.Aria("current", "step")), StepMark(l, number, s.Done),
			html.Div(html.Strong(html.Text(s.Title)), html.Iff(s.Detail != nil, func() html.Node { return html.Div(html.Class("sub"), s.Detail) })))
	}))
}

// StepMark is the number of a step, or a tick when it is done.
func StepMark(l i18n.Lang, number int, done bool) html.Node {
	if done {
		return html.Span(html.Class("step-mark ok"), Icon("check"), html.Span(html.Class("unseen"), html.Text(l.T("kit.done"))))
	}
	return html.Span(html.Class("step-mark"), html.Int(number))
}

// Bar is a part of a whole, with the words that say the same.
func Bar(tone Tone, words html.Node, part, whole int64) html.Node {
	percent := int64(0)
	if whole > 0 {
		percent = int64(min(100, max(0, float64(part)/float64(whole)*100))) // both may be near the end of their type
	}
	return html.Div(html.Class("bar"), html.Div(html.Class("bar-words"), words, html.Strong(html.Class("num"),
		html.Text(i18n.Thousands(part)+" / "+i18n.Thousands(whole)))),
		html.Div(html.Class("bar-line", string(tone)), html.Span(html.Var("part", i18n.Thousands(percent)+"%"))))
}
