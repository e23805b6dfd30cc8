package manager

import (
	"net/url"
	"strings"

	"github.com/hikyaku/hikyaku/internal/manager/i18n"
)

// Place is an entry of a menu: a page that somebody comes to without a link from another.
type Place string

// The places, in the order of their menus.
const (
	Overview    Place = "overview"
	Inbox       Place = "inbox"
	Messages    Place = "messages"
	Numbers     Place = "numbers"
	Templates   Place = "templates"
	Flows       Place = "flows"
	QRCodes     Place = "qrcodes"
	Limits      Place = "limits"
	Insights    Place = "insights"
	Support     Place = "support"
	Billing     Place = "billing"
	Account     Place = "account" // settings of a WhatsApp Business account
	APISetup    Place = "apisetup"
	Webhooks    Place = "webhooks"
	APILog      Place = "apilog"
	Explorer    Place = "explorer"
	Bench       Place = "bench"
	Codes       Place = "codes"
	Info        Place = "info"
	People      Place = "people"
	Partners    Place = "partners"
	SystemUsers Place = "systemusers"
	Apps        Place = "apps"
	Accounts    Place = "accounts" // WhatsApp accounts of the portfolio
	Security    Place = "security"
)

// site is what a place looks like in a menu. A path holds {app} where the chosen app goes.
type site struct {
	place      Place
	text, icon string
	path       string
}

// section is a part of a menu; the first has no heading.
type section struct {
	text  string
	sites []site
}

var (
	systemUsers = site{SystemUsers, "menu.systemusers", "key-round", "/settings/system-users"}

	// managerMenu is that of an account, settingsMenu that of the portfolio around it.
	managerMenu = []section{
		{"", []site{
			{Overview, "menu.overview", "layout-dashboard", "/wa/manage/home/"},
			{Inbox, "menu.inbox", "inbox", "/wa/manage/inbox/"},
			{Messages, "menu.messages", "messages-square", "/wa/manage/messages/"},
		}},
		{"menu.account_tools", []site{
			{Numbers, "menu.numbers", "phone", "/wa/manage/phone-numbers/"},
			{Templates, "menu.templates", "layout-template", "/wa/manage/message-templates/"},
			{Flows, "menu.flows", "workflow", "/wa/manage/flows/"},
			{QRCodes, "menu.qrcodes", "qr-code", "/wa/manage/qr-codes/"},
			{Limits, "menu.limits", "gauge", "/wa/manage/limits/"},
			{Account, "menu.account", "settings", "/wa/manage/settings/"},
		}},
		{"menu.insights_health", []site{
			{Insights, "menu.insights", "chart-column", "/wa/manage/insights/"},
			{Support, "menu.support", "shield-check", "/wa/manage/support/"},
			{Billing, "menu.billing", "receipt", "/wa/manage/billing/"},
		}},
		{"menu.developers", []site{
			{APISetup, "menu.apisetup", "square-terminal", "/apps/{app}/whatsapp-business/wa-dev-console/"},
			{Webhooks, "menu.webhooks", "webhook", "/apps/{app}/whatsapp-business/wa-settings/"},
			systemUsers,
			{APILog, "menu.apilog", "scroll-text", "/apps/{app}/log/"},
			{Explorer, "menu.explorer", "braces", "/tools/explorer/"},
		}},
		{"menu.bench", []site{
			{Bench, "menu.scenarios", "flask-conical", "/bench/"},
			{Codes, "menu.codes", "smartphone", "/bench/codes/"},
		}},
	}
	settingsMenu = []section{
		{"", []site{{Overview, "menu.manager", "arrow-left", "/wa/manage/home/"}}},
		{"menu.users", []site{
			{People, "menu.people", "users", "/settings/people"},
			{Partners, "menu.partners", "handshake", "/settings/partners"},
			systemUsers,
		}},
		{"menu.accounts", []site{
			{Apps, "menu.apps", "boxes", "/apps/"},
			{Accounts, "menu.whatsapp_accounts", "messages-square", "/settings/whatsapp-business-accounts/"},
		}},
		{"menu.portfolio", []site{
			{Security, "menu.security", "shield", "/settings/security"},
			{Info, "menu.info", "building-2", "/settings/info"},
		}},
	}
	// tabs are the places that stand at the bottom of a narrow screen, as many as there is room for.
	tabs = []Place{Overview, Inbox, Templates, Numbers, Webhooks, APISetup}
)

// settings says whether a place belongs to the portfolio and not to one of its accounts.
func (p Place) settings() bool {
	switch p {
	case Info, People, Partners, SystemUsers, Apps, Accounts, Security:
		return true
	}
	return false
}

// Scope is what the pages are about: ids of the portfolio, of an account in it, and of an app. Any may be empty.
type Scope struct{ Business, WABA, App string }

// Path is the address of a place in a scope.
func (s Scope) Path(p Place) string {
	for _, menu := range [][]section{managerMenu, settingsMenu} {
		for _, part := range menu {
			for _, at := range part.sites {
				if at.place == p {
					return s.path(at)
				}
			}
		}
	}
	return "/"
}

func (s Scope) path(at site) string {
	path := strings.Replace(at.path, "{app}", url.PathEscape(s.App), 1)
	q := url.Values{}
	if s.Business != "" {
		q.Set("business_id", s.Business)
	}
	if s.WABA != "" && !at.place.settings() {
		q.Set("waba_id", s.WABA)
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func title(l i18n.Lang, p Place) string {
	for _, menu := range [][]section{managerMenu, settingsMenu} {
		for _, part := range menu {
			for _, at := range part.sites {
				if at.place == p {
					return l.T(at.text)
				}
			}
		}
	}
	return ""
}
