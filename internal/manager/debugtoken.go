package manager

import (
	"net/http"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
)

// debugPage is D3: what a token is.
func (v *visit) debugPage() error { return v.showDebug(http.StatusOK, nil) }

func (v *visit) showDebug(status int, result html.Node) error {
	title := v.t("debugtoken.title")
	return v.show(status, title, kit.Page(kit.Head{Title: title, Sub: html.Text(v.t("debugtoken.why"))}, kit.Stack(
		kit.Card(kit.Head{}, kit.Form("/tools/debug/accesstoken/", kit.Swap("result"),
			kit.Field(kit.Input{Name: "token", Label: v.t("debugtoken.token"), Required: true, Mono: true, More: html.Group{html.Autocomplete("off"), html.Spellcheck("false")}}),
			kit.Actions(kit.Btn(kit.Button{Text: v.t("debugtoken.look"), Kind: kit.Primary})))),
		html.Div(html.ID("result"), result))))
}

func (v *visit) debugToken() error {
	text := v.field("token")
	info := v.m.o.Access.Debug(v.ctx(), text)
	if info.App != nil && !v.mayDebug(info) {
		return v.showDebug(http.StatusForbidden, kit.Note(kit.Warn, html.Role("status"),
			html.P(html.Strong(html.Text(v.t("debugtoken.untold")))), html.P(html.Text(v.t("debugtoken.foreign")))))
	}
	return v.showDebug(http.StatusOK, v.tokenInfo(info))
}

// mayDebug shows a token to the person it acts as, and to administrators of the portfolio of its app: as the API does.
func (v *visit) mayDebug(info access.TokenInfo) bool {
	if info.UserID != "" && info.UserID == v.person.ID {
		return true
	}
	role, ok := v.caller.Role(info.App.Business)
	return ok && role == access.Admin
}

func (v *visit) tokenInfo(info access.TokenInfo) html.Node {
	facts := []kit.Fact{}
	add := func(name string, n html.Node) { facts = append(facts, kit.Fact{Name: name, Value: n}) }
	if info.Valid {
		add("is_valid", kit.Tag(kit.OK, "true"))
	} else {
		add("is_valid", kit.Tag(kit.Bad, "false"))
	}
	if info.Why != nil {
		add("error", html.Group{kit.Mono(code(info.Why)), html.Text(" "), html.Span(html.Lang("en"), html.Text(info.Why.Message()))})
	}
	if info.App != nil {
		add("app_id", kit.Copy(v.lang, "app_id", string(info.App.ID)))
		add("application", html.Text(info.App.Name))
		add("type", kit.Mono(string(info.Type)))
		add("issued_at", kit.Time(info.Issued, v.zone()))
		add("expires_at", v.until(info.Expires))
		add("data_access_expires_at", v.until(info.DataAccess))
	}
	if info.UserID != "" {
		add("user_id", kit.Copy(v.lang, "user_id", info.UserID))
	}
	scopes := make([]string, len(info.Scopes))
	for i, s := range info.Scopes {
		scopes[i] = string(s)
	}
	add("scopes", kit.Mono(dash(strings.Join(scopes, ", "))))
	for _, g := range info.Granular {
		add("granular_scopes · "+string(g.Scope), kit.Mono(strings.Join(g.Targets, ", ")))
	}
	return kit.Card(kit.Head{Title: v.t("debugtoken.result")}, html.Role("status"), kit.Facts(facts...))
}

func (v *visit) until(t time.Time) html.Node {
	if t.IsZero() {
		return html.Text(v.t("debugtoken.never"))
	}
	return kit.Time(t, v.zone())
}
