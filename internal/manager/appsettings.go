package manager

import (
	"errors"
	"net/http"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
)

// settingsForms is what the page "App settings" shows besides what is stored: the secret once, and what each of its forms was refused
// for.
type settingsForms struct {
	secret                 string
	wrongShow, wrongRotate string // beside the passwords
	saving                 bool   // what was written and refused stands in the form again
	wrongName, wrongMode   string
}

// appSettings is D1: the secret is shown after the password.
func (v *visit) appSettings() error { return v.showSettings(http.StatusOK, settingsForms{}) }

func (v *visit) showSettings(status int, f settingsForms) error {
	a := v.app
	title := v.t("apps.settings")
	return v.below(status, title, v.appCrumbs()[:1], kit.Page(kit.Head{Title: title, Sub: html.Text(a.Name)}, v.appTabs(partSettings), kit.Columns(
		html.Group{
			kit.Card(kit.Head{Title: v.t("apps.basic")}, kit.Facts(
				kit.Fact{Name: v.t("apps.id"), Value: kit.Copy(v.lang, v.t("apps.id"), string(a.ID))},
				kit.Fact{Name: v.t("apps.portfolio"), Value: html.Text(v.portfolio.Name)},
				kit.Fact{Name: v.t("apps.created"), Value: kit.Time(a.Created, v.zone())},
				kit.Fact{Name: v.t("apps.secret_changed"), Value: kit.Time(a.SecretChanged, v.zone())})),
			v.securityCard(f),
		},
		v.secretCard(f))))
}

// securityCard is the form for the name, the mode and the proof.
func (v *visit) securityCard(f settingsForms) html.Node {
	name, mode, proof := v.app.Name, string(v.app.Mode), v.app.RequireProof
	if f.saving {
		name, mode, proof = v.field("name"), v.field("mode"), v.field("proof") != ""
	}
	return kit.Card(kit.Head{Title: v.t("apps.security")}, kit.Form(v.at(partSettings+"save"),
		kit.Field(kit.Input{Name: "name", Label: v.t("apps.name"), Value: name, Required: true, Max: maxAppName, Error: f.wrongName}),
		kit.Select(kit.Input{Name: "mode", Label: v.t("apps.mode"), Value: mode, Error: f.wrongMode},
			kit.Choice{Value: string(access.Development), Text: v.t("apps.development")}, kit.Choice{Value: string(access.LiveMode), Text: v.t("apps.live")}),
		kit.Check(kit.Box{Name: "proof", Value: "1", Label: v.t("apps.proof"), On: proof, Hint: html.Group{kit.Mono("appsecret_proof"), html.Text(" " + v.t("apps.proof_why"))}}),
		kit.Actions(kit.Btn(kit.Button{Text: v.t("apps.save"), Kind: kit.Primary}))))
}

// secretCard shows the secret and replaces it. The form that replaces is a dialog, closed when the page comes: a note says beside it
// that nothing was replaced.
func (v *visit) secretCard(f settingsForms) html.Node {
	var shown, kept html.Node
	if f.secret != "" {
		shown = kit.Facts(kit.Fact{Name: v.t("apps.secret"), Value: kit.Copy(v.lang, v.t("apps.secret"), f.secret)})
	} else {
		shown = kit.Form(v.at(partSettings+"secret"), v.passwordField("password", f.wrongShow), kit.Actions(kit.Btn(kit.Button{Text: v.t("apps.show_secret"), Icon: "eye"})))
	}
	if f.wrongRotate != "" {
		kept = kit.Note(kit.Bad, html.Role("alert"), html.P(html.Strong(html.Text(v.t("apps.not_rotated"))), html.Text(" "+f.wrongRotate)))
	}
	return kit.Card(kit.Head{Title: v.t("apps.secret")}, html.ID("secret"), html.P(html.Text(v.t("apps.secret_why"))), shown, kept,
		kit.Confirm(v.lang, kit.Ask{
			ID: "rotate", Button: kit.Button{Text: v.t("apps.rotate"), Kind: kit.Danger, Icon: "refresh-cw"}, Title: v.t("apps.rotate_title", "name", v.app.Name),
			Text: html.Group{html.P(html.Text(v.t("apps.rotate_why"))), v.passwordField("rotate-password", f.wrongRotate)}, Verb: v.t("apps.rotate"), Action: v.at(partSettings + "rotate"),
		}))
}

// passwordField asks for the person's own; people without one are asked nothing.
func (v *visit) passwordField(id, wrong string) html.Node {
	if len(v.person.Password) == 0 {
		return nil
	}
	return kit.Field(kit.Input{ID: id, Name: "password", Label: v.t("apps.password"), Type: "password", Required: true, Error: wrong, More: html.Autocomplete("current-password")})
}

// confirmed checks the password of the form; the text is for people.
func (v *visit) confirmed() (wrong string, err error) {
	err = v.m.o.Access.Confirm(v.ctx(), v.person.ID, v.r.PostForm.Get("password"), peer(v.r))
	switch {
	case errors.Is(err, access.ErrLogin):
		return v.t("apps.wrong_password"), nil
	case errors.Is(err, access.ErrLoginPause):
		return v.t("door.pause"), nil
	case errors.Is(err, access.ErrLoginBusy):
		return v.t("door.busy"), nil
	}
	return "", err
}

func (v *visit) showSecret() error {
	wrong, err := v.confirmed()
	if err != nil {
		return err
	}
	if wrong != "" {
		return v.showSettings(http.StatusForbidden, settingsForms{wrongShow: wrong})
	}
	secret, err := v.m.o.Access.AppSecret(v.app.ID)
	if err != nil {
		return err
	}
	return v.showSettings(http.StatusOK, settingsForms{secret: secret.Reveal()})
}

func (v *visit) rotateSecret() error {
	wrong, err := v.confirmed()
	if err != nil {
		return err
	}
	if wrong != "" {
		return v.showSettings(http.StatusForbidden, settingsForms{wrongRotate: wrong})
	}
	secret, err := v.m.o.Access.ResetSecret(v.ctx(), v.app.ID)
	if err != nil {
		return err
	}
	if err := v.fresh(); err != nil {
		return err
	}
	return v.showSettings(http.StatusOK, settingsForms{secret: secret.Reveal()})
}

// fresh reads the app again after it was changed.
func (v *visit) fresh() error {
	a, ok := v.m.o.Access.App(v.app.ID)
	if !ok {
		return errMissing
	}
	v.app = a
	return nil
}

func (v *visit) saveApp() error {
	name, mode := v.field("name"), access.AppMode(v.field("mode"))
	refused := settingsForms{saving: true}
	if n := len([]rune(name)); n == 0 || n > maxAppName {
		refused.wrongName = v.t("apps.name_wrong")
	}
	if mode != access.Development && mode != access.LiveMode {
		refused.wrongMode = v.t("apps.mode_wrong")
	}
	if refused.wrongName != "" || refused.wrongMode != "" {
		return v.showSettings(http.StatusBadRequest, refused)
	}
	_, err := v.m.o.Access.UpdateApp(v.ctx(), v.app.ID, func(a *access.App) error {
		a.Name, a.Mode, a.RequireProof = name, mode, v.field("proof") != ""
		return nil
	})
	if err != nil {
		return err
	}
	return v.to(v.at(partSettings))
}

// roles is D2: an app belongs to a portfolio, and whoever belongs to that has a part in it.
func (v *visit) roles() error {
	var rows []kit.Cells
	for _, p := range v.m.o.Access.People() {
		for _, m := range p.Member {
			if m.Business == v.app.Business {
				rows = append(rows, kit.Cells{html.Text(p.Name), kit.Mono(p.ID), kit.Mono(string(m.Role)), html.Text(v.roleText(m.Role))})
			}
		}
	}
	title := v.t("apps.roles")
	return v.below(http.StatusOK, title, v.appCrumbs(), kit.Page(kit.Head{Title: title, Sub: html.Text(v.app.Name)}, v.appTabs(partRoles), kit.Stack(
		kit.Note(kit.Info, html.P(html.Text(v.t("apps.roles_why")), html.Text(" "), html.A(html.Href(v.scope.Path(People)), html.Text(v.t("menu.people"))))),
		kit.Flush(kit.Head{Title: title, Sub: kit.Results(v.lang, len(rows))}, kit.Table(title, []kit.Column{
			{Title: v.t("apps.name")}, {Title: "ID", Second: true}, {Title: v.t("apps.role")}, {Title: v.t("apps.may"), Second: true},
		}, rows)))))
}

func (v *visit) roleText(r access.Role) string {
	if r == access.Admin {
		return v.t("apps.role_admin")
	}
	return v.t("apps.role_employee")
}
