package manager

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const numbersPath = "/wa/manage/phone-numbers/"

// addNumberRoutes are P2 of spec/manager.md: profile and number, a code by text or call, a PIN.
func (m *Manager) addNumberRoutes() []route {
	manage := need{about: account, task: access.ManagePhone}
	return []route{
		page(numbersPath+"add", "", manage, (*visit).addNumberPage),
		deed(numbersPath+"add", manage, (*visit).addNumber),
		page(numbersPath+"{number}/connect", "", manage, (*visit).connectPage),
		deed(numbersPath+"{number}/code", manage, (*visit).requestCode).on(numbersPath + "{number}/connect"),
		deed(numbersPath+"{number}/verify", manage, (*visit).verifyCode).on(numbersPath + "{number}/connect"),
		deed(numbersPath+"{number}/register", manage, (*visit).register).on(numbersPath + "{number}/connect"),
	}
}

func (v *visit) numberSteps(now int) html.Node {
	steps := []kit.Step{{Title: v.t("numbers.step_profile")}, {Title: v.t("numbers.step_verify")}, {Title: v.t("numbers.step_pin")}}
	for i := range steps {
		steps[i].Done, steps[i].Now = i < now, i == now
	}
	return kit.Steps(v.lang, steps...)
}

func (v *visit) numberCrumbs() []kit.Link {
	v.here = Numbers
	return []kit.Link{{Text: v.t("menu.numbers"), Href: v.in(numbersPath)}}
}

func (v *visit) addNumberPage() error { return v.addNumberForm(http.StatusOK, nil) }

func (v *visit) addNumberForm(status int, wrong error) error {
	verticals := make([]kit.Choice, len(business.Verticals))
	for i, x := range business.Verticals {
		verticals[i] = kit.Choice{Value: x, Text: x}
	}
	chosen := v.field("vertical")
	if chosen == "" {
		chosen = "OTHER"
	}
	return v.below(status, v.t("numbers.add"), v.numberCrumbs(), kit.Page(kit.Head{Title: v.t("numbers.add")}, v.numberSteps(0), v.refusal(wrong),
		kit.Card(kit.Head{Title: v.t("numbers.step_profile")}, kit.Form(v.in(numbersPath+"add"),
			kit.Field(kit.Input{Name: "name", Label: v.t("numbers.display_name"), Value: v.field("name"), Max: 128, Required: true, Hint: html.Text(v.t("numbers.display_name_hint"))}),
			kit.Select(kit.Input{Name: "vertical", Label: v.t("numbers.category"), Value: chosen}, verticals...),
			kit.Area(kit.Input{Name: "description", Label: v.t("numbers.description"), Value: v.field("description"), Max: 512}),
			kit.Field(kit.Input{Name: "phone", Label: v.t("numbers.number"), Type: "tel", Value: v.field("phone"), Required: true, Hint: html.Text(v.t("numbers.number_hint")), More: html.Autocomplete("off")}),
			kit.Actions(kit.Btn(kit.Button{Text: v.t("numbers.cancel"), Href: v.in(numbersPath)}), kit.Btn(kit.Button{Text: v.t("numbers.next"), Kind: kit.Primary}))))))
}

func (v *visit) addNumber() error {
	n, err := v.createNumber()
	shown, fault := known(err)
	switch {
	case fault != nil:
		return fault
	case shown != nil:
		return v.addNumberForm(http.StatusBadRequest, shown)
	}
	return v.to(v.numberPath(n, "/connect"))
}

func (v *visit) numberPath(n *business.Number, more string) string {
	return v.in(numbersPath + string(n.ID) + more)
}

func (v *visit) createNumber() (*business.Number, error) {
	id, err := wa.ParsePhone(v.field("phone"))
	if err != nil {
		return nil, v.invalid(v.t("numbers.no_number"))
	}
	vertical, description := v.field("vertical"), v.field("description")
	profile := business.ProfileChange{Vertical: &vertical, Description: &description}
	if err := profile.Check(); err != nil {
		return nil, err
	}
	n, err := v.m.o.Business.AddNumber(v.ctx(), business.NewNumber{
		WABA: v.waba.ID, WaID: id, Name: v.field("name"), Subscribed: len(v.m.o.Webhooks.Links(v.waba.ID)) > 0,
	})
	if err != nil {
		return nil, err
	}
	return v.m.o.Business.UpdateProfile(v.ctx(), n.ID, profile)
}

// theNumber is the one of the path; that of another account is like none.
func (v *visit) theNumber() (*business.Number, error) {
	n, ok := v.m.o.Business.Number(wa.PhoneNumberID(v.r.PathValue("number")))
	if !ok || n.WABA != v.waba.ID || !n.Live() {
		return nil, errMissing
	}
	return n, nil
}

func (v *visit) connectPage() error {
	n, err := v.theNumber()
	if err != nil {
		return err
	}
	return v.connect(http.StatusOK, n, nil)
}

// connect is the step that the number is at: its code, or its PIN.
func (v *visit) connect(status int, n *business.Number, wrong error) error {
	title := v.t("numbers.connect", "number", n.Display)
	if n.CodeVerification == business.CodeVerified {
		return v.below(status, title, v.numberCrumbs(), kit.Page(kit.Head{Title: title}, v.numberSteps(2), v.refusal(wrong),
			kit.Card(kit.Head{Title: v.t("numbers.step_pin")}, html.P(html.Text(v.t("numbers.pin_what"))), kit.Form(v.numberPath(n, "/register"),
				kit.Field(kit.Input{Name: "pin", Label: v.t("numbers.pin"), Type: "password", Max: 6, Required: true, Mono: true, More: html.Autocomplete("off")}),
				kit.Actions(kit.Btn(kit.Button{Text: v.t("numbers.register"), Kind: kit.Primary}))))))
	}
	var enter html.Node
	if n.Ownership.Salt != nil {
		enter = kit.Card(kit.Head{Title: v.t("numbers.enter_code")}, kit.Form(v.numberPath(n, "/verify"),
			kit.Field(kit.Input{Name: "code", Label: v.t("numbers.code"), Max: 7, Required: true, Mono: true, More: html.Autocomplete("one-time-code")}),
			kit.Actions(kit.Btn(kit.Button{Text: v.t("numbers.verify"), Kind: kit.Primary}))))
	}
	return v.below(status, title, v.numberCrumbs(), kit.Page(kit.Head{Title: title}, v.numberSteps(1), v.refusal(wrong), enter,
		kit.Card(kit.Head{Title: v.t("numbers.ask_code")}, html.P(html.Text(v.t("numbers.code_what"))), kit.Form(v.numberPath(n, "/code"),
			kit.Boxes(v.t("numbers.how"), kit.Check(kit.Box{Name: "method", Value: string(business.BySMS), Label: v.t("numbers.sms"), On: v.field("method") != string(business.ByVoice), Radio: true}),
				kit.Check(kit.Box{Name: "method", Value: string(business.ByVoice), Label: v.t("numbers.voice"), On: v.field("method") == string(business.ByVoice), Radio: true})),
			kit.Actions(kit.Btn(kit.Button{Text: v.t("numbers.send_code")}))))))
}

// stepped runs a step of connecting a number: on to the next one, or back to the form with the refusal.
func (v *visit) stepped(next string, do func(*business.Number) error) error {
	n, err := v.theNumber()
	if err != nil {
		return err
	}
	shown, fault := known(do(n))
	switch {
	case fault != nil:
		return fault
	case shown != nil:
		return v.connect(http.StatusBadRequest, n, shown)
	}
	if next == "" {
		return v.to(v.in(numbersPath))
	}
	return v.to(v.numberPath(n, next))
}

func (v *visit) requestCode() error {
	method := business.CodeMethod(v.field("method"))
	if !slices.Contains([]business.CodeMethod{business.BySMS, business.ByVoice}, method) {
		return wa.ErrCodeMethod
	}
	return v.stepped("/connect", func(n *business.Number) error {
		return v.m.o.Business.RequestCode(v.ctx(), n.ID, method, string(v.lang))
	})
}

func (v *visit) verifyCode() error {
	code := strings.ReplaceAll(strings.ReplaceAll(v.field("code"), "-", ""), " ", "")
	return v.stepped("/connect", func(n *business.Number) error {
		_, err := v.m.o.Business.VerifyCode(v.ctx(), n.ID, code)
		return err
	})
}

func (v *visit) register() error {
	return v.stepped("", func(n *business.Number) error {
		_, err := v.m.o.Business.Register(v.ctx(), n.ID, business.Registration{PIN: v.field("pin")})
		return err
	})
}
