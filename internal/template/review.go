package template

import (
	"slices"
	"strings"
)

// Verdict of a review. The zero value approves.
type Verdict struct {
	Reason         string // one of Reasons
	Why            string // rejection_info; empty: none
	Recommendation string
}

// Reasons are the values of rejected_reason besides NONE. Source: spec/templates.md section 4.3.
var Reasons = []string{"ABUSIVE_CONTENT", "INCORRECT_CATEGORY", "INVALID_FORMAT", "PROMOTIONAL", "SCAM", "TAG_CONTENT_MISMATCH"}

// What the automatic reviewer looks for, in lower case. The lists are ours: the real ones are not published, and their
// purpose here is that every outcome can be met.
var (
	abusive   = []string{"kill you", "hurt you", "we know where you live", "worthless idiot"}
	scams     = []string{"full card number", "credit card number", "card number and cvv", "social security number", "send us your pin", "your password by reply"}
	promoting = []string{"buy now", "% off", "discount", "special offer", "limited offer", "promo code", "coupon", "shop now", "black friday", "clearance", "don't miss", "exclusive deal", "セール", "割引", "クーポン"}
	passcodes = []string{"verification code", "one-time password", "one-time code", "one time password", "login code", "passcode", "認証コード", "ワンタイムパスワード"}
)

// review is the automatic reviewer: the same template beside the same others always gets the same verdict. Source:
// spec/templates.md section 11, spec/quality.md section 3.3.
func review(t *Template, others []*Template) Verdict {
	if t.Category == Authentication {
		return Verdict{}
	}
	text := strings.ToLower(t.words())
	has := func(list []string) bool {
		return slices.ContainsFunc(list, func(w string) bool { return strings.Contains(text, w) })
	}
	switch {
	case has(abusive):
		return Verdict{Reason: "ABUSIVE_CONTENT"}
	case has(scams):
		return Verdict{Reason: "SCAM"}
	case has(passcodes) && strings.Contains(text, "{{"):
		return Verdict{Reason: "INCORRECT_CATEGORY"}
	}
	for _, o := range others {
		if o.ID != t.ID && o.Language == t.Language && o.Category != Authentication && o.Status != Rejected && t.sameText(o) &&
			(o.Created.Before(t.Created) || o.Created.Equal(t.Created) && o.ID < t.ID) {
			return Verdict{
				Reason: "INVALID_FORMAT", Why: "The body and footer are those of the template " + o.Name + ".",
				Recommendation: "Use the existing template, or change the text.",
			}
		}
	}
	return Verdict{}
}

// promotes reports whether what is meant to be a utility template is a promotion.
func (t *Template) promotes() bool {
	text := strings.ToLower(t.words())
	return marketingOnly(t.Components) || slices.ContainsFunc(promoting, func(w string) bool { return strings.Contains(text, w) })
}

func (t *Template) sameText(o *Template) bool {
	text := func(t *Template, ct ComponentType) string {
		if c := t.Component(ct); c != nil {
			return c.Text
		}
		return ""
	}
	return text(t, Body) == text(o, Body) && text(t, Footer) == text(o, Footer)
}

// words is all text of the template.
func (t *Template) words() string {
	var b strings.Builder
	var walk func(list []Component)
	walk = func(list []Component) {
		for i := range list {
			b.WriteString(list[i].Text + "\n")
			for _, p := range list[i].Buttons {
				b.WriteString(p.Text + "\n")
			}
			for _, c := range list[i].Cards {
				walk(c.Components)
			}
		}
	}
	walk(t.Components)
	return b.String()
}
