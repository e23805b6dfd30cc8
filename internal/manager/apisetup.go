package manager

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// setup is what the page "API setup" shows. Source: spec/manager.md section 7.2.
type setup struct {
	token   string
	expires time.Time
	numbers []*business.Number
	from    *business.Number // nil: the account has no number
	to      wa.WaID          // empty: nobody is chosen

	asked wa.WaID // who was sent a code just now
	wrong error   // of the recipient's form
	sent  *reply  // what the button sent
}

// console is the page. A visit without a living token makes one: A1.
func (v *visit) console() error {
	s, err := v.readSetup()
	if err != nil {
		return err
	}
	return v.showSetup(http.StatusOK, s)
}

// readSetup takes the choices from the address or the form.
func (v *visit) readSetup() (*setup, error) {
	s := &setup{}
	secret, t, err := v.m.o.Access.Temporary(v.person.ID, v.app.ID)
	if errors.Is(err, access.ErrUnknown) {
		secret, t, err = v.m.o.Access.IssueTemporary(v.ctx(), v.person.ID, v.app.ID)
	}
	if err != nil {
		return nil, err
	}
	s.token, s.expires = secret.Reveal(), t.Expires
	s.numbers = v.m.o.Business.Numbers(v.waba.ID)
	for _, n := range s.numbers {
		if s.from == nil || string(n.ID) == v.field("from") {
			s.from = n
		}
	}
	if s.from == nil {
		return s, nil
	}
	to, err := wa.ParsePhone(v.field("to"))
	switch {
	case err == nil:
		s.to = to
	case len(s.from.Allowed) > 0:
		s.to = s.from.Allowed[0].User
	case s.from.AllowAll || s.from.Mode != business.Sandbox:
		s.to = v.m.o.StandIn
	}
	return s, nil
}

func (v *visit) showSetup(status int, s *setup) error {
	right := html.Group{
		kit.Btn(kit.Button{Text: "Postman", Icon: "download", Href: v.at(partDownload + fileEnvironment)}),
		kit.Btn(kit.Button{Text: ".env", Icon: "download", Href: v.at(partDownload + fileVariables)}),
	}
	if s.from == nil {
		return v.below(status, v.t("menu.apisetup"), v.appCrumbs(), kit.Page(kit.Head{Title: v.t("menu.apisetup")}, v.appTabs(partConsole),
			kit.Columns(v.tokenCard(s), kit.Card(kit.Head{Title: v.t("apisetup.no_number")}, html.P(html.Text(v.t("apisetup.no_number_why"))),
				kit.Btn(kit.Button{Text: v.t("apisetup.add_number"), Icon: "plus", Href: v.scope.Path(Numbers)})))))
	}
	return v.below(status, v.t("menu.apisetup"), v.appCrumbs(), kit.Page(kit.Head{Title: v.t("menu.apisetup"), Right: right}, v.appTabs(partConsole),
		kit.Columns(html.Group{v.tokenCard(s), v.partiesCard(s), v.sendCard(s)}, html.Group{v.happened(s), v.nextCard(), v.filesCard()})))
}

// tokenCard is A1.
func (v *visit) tokenCard(s *setup) html.Node {
	left := s.expires.Sub(v.m.o.Clock.Now())
	sub := v.t("apisetup.left", "hours", int(left/time.Hour), "minutes", int(left%time.Hour/time.Minute))
	return kit.Card(kit.Head{Title: v.t("apisetup.token"), Sub: html.Text(sub), Right: html.Form(html.Method("post"), html.Action(v.at(partConsole+"token")), v.chosen(s),
		kit.Btn(kit.Button{Text: v.t("apisetup.again"), Icon: "refresh-cw", Small: true}))},
		html.Div(html.Class("setup-token"), html.Input(html.Type("password"), html.ID("token"), html.Class("mono"), html.Value(s.token), html.ReadOnly(true),
			html.Aria("label", v.t("apisetup.token")), html.Autocomplete("off"), html.Spellcheck("false")),
			kit.IconBtn(v.t("apisetup.show"), "eye", html.Data("show", "token")), kit.CopyBtn(v.lang, v.t("apisetup.token"), s.token)),
		html.P(html.Class("sub"), html.Text(v.t("apisetup.scopes")), html.Text(" "), kit.Mono(string(access.Management)), html.Text(" "), kit.Mono(string(access.Messaging))),
		html.P(html.Class("sub"), html.Text(v.t("apisetup.permanent")), html.Text(" "), html.A(html.Href(v.scope.Path(SystemUsers)), html.Text(v.t("menu.systemusers")))))
}

// chosen carries the choices through a form.
func (v *visit) chosen(s *setup) html.Node {
	if s.from == nil {
		return nil
	}
	return html.Group{kit.Hidden("from", string(s.from.ID)), kit.Hidden("to", string(s.to))}
}

// with is the page with other choices.
func (v *visit) with(from wa.PhoneNumberID, to wa.WaID) string {
	q := url.Values{"from": {string(from)}}
	if to != "" {
		q.Set("to", string(to))
	}
	return v.at(partConsole) + "&" + q.Encode()
}

// partiesCard is A2 and A3.
func (v *visit) partiesCard(s *setup) html.Node {
	n := s.from
	choices := make([]kit.Choice, len(s.numbers))
	for i, x := range s.numbers {
		text := wa.Display(x.WaID) + " · " + x.VerifiedName
		if x.Mode == business.Sandbox {
			text = v.t("apisetup.test_number") + " · " + text
		}
		choices[i] = kit.Choice{Value: string(x.ID), Text: text}
	}
	var lists html.Node
	head := kit.Head{Title: v.t("apisetup.parties")}
	if n.Mode == business.Sandbox {
		head.Sub = html.Text(v.t("apisetup.five"))
		lists = v.recipients(s)
	} else {
		lists = html.Form(html.Method("get"), html.Action(v.at(partConsole)), html.Class("form"), v.scopeFields(), kit.Hidden("from", string(n.ID)),
			kit.Field(kit.Input{Name: "to", Label: v.t("apisetup.to"), Value: plus(s.to), Type: "tel", More: html.Data("submit", "")}))
	}
	return kit.Card(head, html.ID("parties"),
		kit.Row(
			html.Form(html.Method("get"), html.Action(v.at(partConsole)), html.Class("form"), v.scopeFields(),
				kit.Select(kit.Input{Name: "from", Label: v.t("apisetup.from"), Value: string(n.ID), More: html.Data("submit", "")}, choices...),
				kit.Btn(kit.Button{Text: v.t("apisetup.choose"), Small: true})),
			kit.Facts(kit.Fact{Name: "Phone number ID", Value: kit.Copy(v.lang, "Phone number ID", string(n.ID))},
				kit.Fact{Name: "WhatsApp Business Account ID", Value: kit.Copy(v.lang, "WhatsApp Business Account ID", string(v.waba.ID))})),
		lists,
		html.P(html.Class("sub"), html.A(html.Href(v.scope.Path(Numbers)), html.Text(v.t("apisetup.add_number")))))
}

// scopeFields carry the account through a form that asks: its action's query is lost.
func (v *visit) scopeFields() html.Node {
	return html.Group{kit.Hidden("business_id", v.scope.Business), kit.Hidden("waba_id", v.scope.WABA)}
}

// plus is a number as people write it down for a form.
func plus(id wa.WaID) string {
	if id == "" {
		return ""
	}
	return "+" + string(id)
}

// recipients are the five of a test number, those who were sent a code, and the form for another.
func (v *visit) recipients(s *setup) html.Node {
	n := s.from
	pending := slices.DeleteFunc(slices.Clone(n.Pending), func(p business.PendingRecipient) bool {
		return v.m.o.Clock.Now().After(p.Ownership.Expires) && p.User != s.asked
	})
	var cards html.Group
	for _, r := range n.Allowed {
		cards = append(cards, html.Li(html.A(html.Class("recipient"), html.Href(v.with(n.ID, r.User)), html.If(r.User == s.to, html.Aria("current", "true")),
			kit.Phone(string(r.User)), html.If(r.User == s.to, kit.Icon("check")))))
	}
	for _, p := range pending {
		cards = append(cards, html.Li(html.Class("recipient"), kit.Phone(string(p.User)), kit.Tag(kit.Warn, v.t("apisetup.code_sent")),
			html.Form(html.Method("post"), html.Action(v.at(partConsole+"confirm")), html.Class("row"), kit.Hidden("from", string(n.ID)), kit.Hidden("phone", string(p.User)),
				kit.Field(kit.Input{
					ID: "code-" + string(p.User), Name: "code", Label: v.t("apisetup.code"), Required: true, Max: 6, Error: v.wrongFor(s, p.User), Code: v.codeFor(s, p.User),
					More: html.Group{html.InputMode("numeric"), html.Autocomplete("one-time-code")},
				}),
				kit.Btn(kit.Button{Text: v.t("apisetup.confirm")}))))
	}
	var add html.Node
	switch {
	case len(n.Allowed) >= business.MaxRecipients:
		add = html.P(html.Class("sub"), html.Text(v.t("apisetup.full")))
	default:
		add = html.Form(html.Method("post"), html.Action(v.at(partConsole+"recipients")), html.Class("row"), kit.Hidden("from", string(n.ID)),
			kit.Field(kit.Input{
				Name: "phone", Label: v.t("apisetup.add_recipient", "n", len(n.Allowed), "max", business.MaxRecipients), Type: "tel", Required: true,
				Value: v.again(s), Error: v.wrongFor(s, ""), Code: v.codeFor(s, ""), Hint: html.Text(v.t("apisetup.add_hint")),
			}),
			kit.Btn(kit.Button{Text: v.t("apisetup.add"), Icon: "plus"}))
	}
	var open html.Node
	if n.AllowAll {
		open = html.Form(html.Method("get"), html.Action(v.at(partConsole)), html.Class("form"), v.scopeFields(), kit.Hidden("from", string(n.ID)),
			kit.Field(kit.Input{Name: "to", Label: v.t("apisetup.to"), Value: plus(s.to), Type: "tel", Hint: html.Text(v.t("apisetup.open")), More: html.Data("submit", "")}))
	}
	return html.Group{open, html.Iff(len(cards) > 0, func() html.Node { return html.Ul(html.Class("recipients"), cards) }), add}
}

// wrongFor is what the form for user was refused with; "" is the form for a new one.
func (v *visit) wrongFor(s *setup, user wa.WaID) string {
	if s.wrong == nil || s.asked != user {
		return ""
	}
	return v.problem(s.wrong).text
}

func (v *visit) codeFor(s *setup, user wa.WaID) string {
	if s.wrong == nil || s.asked != user {
		return ""
	}
	return v.problem(s.wrong).code
}

// again is what was written into a form that was refused.
func (v *visit) again(s *setup) string {
	if s.wrong != nil && s.asked == "" {
		return v.field("phone")
	}
	return ""
}

func (v *visit) newToken() error {
	if _, _, err := v.m.o.Access.IssueTemporary(v.ctx(), v.person.ID, v.app.ID); err != nil {
		return err
	}
	return v.to(v.with(wa.PhoneNumberID(v.field("from")), wa.WaID(v.field("to"))))
}

// addRecipient sends a code: A3.
func (v *visit) addRecipient() error {
	s, err := v.readSetup()
	if err != nil || s.from == nil {
		return errors.Join(err, missingWhen(s == nil || s.from == nil))
	}
	user, err := wa.ParsePhone(v.field("phone"))
	if err != nil {
		err = v.invalid(v.t("numbers.no_number"))
	} else {
		err = v.m.o.Business.RequestRecipient(v.ctx(), s.from.ID, user)
	}
	if shown, fault := known(err); fault != nil {
		return fault
	} else if shown != nil {
		s.wrong = shown
		return v.showSetup(http.StatusBadRequest, s)
	}
	return v.to(v.with(s.from.ID, s.to) + "#parties")
}

func missingWhen(b bool) error {
	if b {
		return errMissing
	}
	return nil
}

func (v *visit) confirmRecipient() error {
	s, err := v.readSetup()
	if err != nil || s.from == nil {
		return errors.Join(err, missingWhen(s == nil || s.from == nil))
	}
	user, err := wa.ParsePhone(v.field("phone"))
	if err != nil {
		return errMissing
	}
	_, err = v.m.o.Business.ConfirmRecipient(v.ctx(), s.from.ID, user, strings.ReplaceAll(v.field("code"), " ", ""))
	if shown, fault := known(err); fault != nil {
		return fault
	} else if shown != nil {
		s.wrong, s.asked = shown, user
		return v.showSetup(http.StatusBadRequest, s)
	}
	return v.to(v.with(s.from.ID, user) + "#parties")
}

// nextCard is A7.
func (v *visit) nextCard() html.Node {
	step := func(text, href string) html.Node { return html.Li(html.A(html.Href(href), html.Text(v.t(text)))) }
	return kit.Card(kit.Head{Title: v.t("apisetup.next")}, html.Ul(html.Class("links"),
		step("apisetup.next_webhook", v.at(partWebhooks)), step("apisetup.next_number", v.scope.Path(Numbers)),
		step("apisetup.next_token", v.scope.Path(SystemUsers)), step("apisetup.next_debug", "/tools/debug/accesstoken/")))
}

// version is that of the examples.
func (v *visit) version() string {
	if v.m.o.Version == "" {
		return "v23.0"
	}
	return v.m.o.Version
}

// base is how clients reach this server.
func (v *visit) base() string { return strings.TrimSuffix(v.m.o.BaseURL, "/") }
