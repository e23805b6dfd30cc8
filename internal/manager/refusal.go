package manager

import (
	"errors"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// problem is what stands beside a form that was refused, zero without one: the sentence for people, and what the API would answer.
type problem struct {
	text, code string
	lang       i18n.Lang // of the text, when that is not the page's: the API speaks English alone
}

// said is a refusal of ours in the language of the page, of what the API refuses, too.
type said struct {
	text string
	row  *wa.Error
}

func (s said) Error() string { return s.text }
func (s said) Unwrap() error { return s.row }

// invalid refuses what was written into a form.
func (v *visit) invalid(text string) error { return said{text, wa.ErrInvalidParameter} }

// worded are the refusals of the rooms that are no rows of the error table, with the keys of their sentences.
var worded = []struct {
	err error
	key string
}{
	{access.ErrEmail, "door.email_taken"},
	{access.ErrLink, "door.link_over"},
	{business.ErrNoCourier, "numbers.no_courier"},
}

func (v *visit) problem(err error) problem {
	var ours said
	var row *wa.Error
	switch {
	case err == nil:
		return problem{}
	case errors.As(err, &ours):
		return problem{text: ours.text, code: code(ours.row)}
	case errors.As(err, &row):
		p := problem{text: row.UserMsg, code: code(row)}
		if p.text == "" {
			p.text = row.Message()
		}
		if v.lang != i18n.English {
			p.lang = i18n.English
		}
		return p
	}
	for _, w := range worded {
		if errors.Is(err, w.err) {
			return problem{text: v.t(w.key)}
		}
	}
	return problem{text: v.t("door.refused")}
}

// refusal is a note with what a form was refused for.
func (v *visit) refusal(err error) html.Node {
	p := v.problem(err)
	if p.text == "" {
		return nil
	}
	return kit.Note(kit.Bad, p.sentence(), html.Iff(p.code != "", func() html.Node {
		return html.P(html.Class("sub"), html.Text(v.t("door.api_says")), html.Text(" "), kit.Mono(p.code))
	}))
}

func (p problem) sentence() html.Node {
	return html.P(html.If(p.lang != "", html.Lang(string(p.lang))), html.Text(p.text))
}

// known passes on what a form can show, and stops at faults of ours.
func known(err error) (shown, fault error) {
	var row *wa.Error
	if err == nil || errors.As(err, &row) {
		return err, nil
	}
	for _, w := range worded {
		if errors.Is(err, w.err) {
			return w.err, nil
		}
	}
	return nil, err
}
