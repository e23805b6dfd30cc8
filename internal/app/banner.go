package app

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// banner tells a person where everything is and what to do next.
func (a *App) banner(w io.Writer) {
	p := a.Plan()
	fmt.Fprintf(w, "\n  Hikyaku is ready.\n\n")
	row := func(name, value string) { fmt.Fprintf(w, "  %-12s %s\n", name, value) }
	row("Graph API", p.BaseURL+"/"+GraphVersion)
	row("Manager", a.managerWord(p))
	row("Operator", p.ControlURL+"  (health, metrics"+a.controlWord()+")")
	row("Data", a.o.Data)
	if now, wall := a.clock.Now(), a.wall.Now(); ahead(now, wall) != "" {
		row("Clock", now.UTC().Format(time.RFC3339)+"  ("+ahead(now, wall)+")")
	}
	row("Number", fmt.Sprintf("%s  (id %s)", "+"+string(p.NumberWaID), p.NumberID))
	if a.o.Sandbox {
		row("User", fmt.Sprintf("+%s  (may be written to at once)", p.UserPhone))
	}
	if !a.o.Sandbox {
		fmt.Fprintf(w, "\n  Next: %s\n\n", a.command("env"))
		return
	}
	if !loopback(a.o.Control) {
		fmt.Fprintf(w, "\n  CAUTION: the operator port is open to other machines (%s). It asks for no password, and its control API\n"+
			"  shows messages and codes.\n", a.o.Control)
	}
	fmt.Fprintf(w, "\n  SANDBOX: for development and tests. Recipients that nobody registered become virtual users.\n")
	fmt.Fprintf(w, "\n  Send a message (paste this):\n\n%s\n", a.curl(p))
	fmt.Fprintf(w, "  Watch webhooks leave: %s/live/\n", p.ControlURL)
	fmt.Fprintf(w, "  Then, each in a terminal of its own:\n\n")
	table := [][2]string{
		{a.command("chat --as +" + string(p.UserPhone)), "the user's phone"},
		{a.command("echo --subscribe"), "signed webhooks, printed"},
		{`eval "$(` + a.command("env --export") + `)"`, "variables for your shell"},
	}
	width := 0
	for _, t := range table {
		width = max(width, len(t[0]))
	}
	for _, t := range table {
		fmt.Fprintf(w, "    %-*s  # %s\n", width, t[0], t[1])
	}
	fmt.Fprintln(w)
}

// ahead says how far platform time is from the real time; empty when they are the same.
func ahead(now, wall time.Time) string {
	d, word := now.Sub(wall), "ahead"
	if d < 0 {
		d, word = -d, "behind"
	}
	switch {
	case d < time.Minute:
		return ""
	case d < 48*time.Hour:
		return d.Truncate(time.Minute).String() + " " + word
	}
	return fmt.Sprintf("%d days %s", d/(24*time.Hour), word)
}

// managerWord is where the Manager is, and how to get in as long as nobody can log in.
func (a *App) managerWord(p *Plan) string {
	running := a.platform.Load()
	switch {
	case a.o.develops():
		return p.managerURL() + "  (on this machine without logging in)"
	case running.rules.access.CanLogIn():
		return p.managerURL()
	}
	link, _, err := running.loginLink(context.Background(), "")
	if err != nil {
		return p.managerURL() + "  (log in: " + a.command("admin login-link") + ")"
	}
	return link + "\n               (works once, for 15 minutes; another: " + a.command("admin login-link") + ")"
}

// Quote makes a value safe for a shell, leaving plain ones as they are.
func Quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:=+-") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func (a *App) controlWord() string {
	if a.o.Sandbox {
		return ", control API"
	}
	return ""
}

func (a *App) command(rest string) string {
	c := a.o.Command + " " + rest
	if a.defaultData {
		return c
	}
	return c + " --data " + Quote(a.o.Data)
}

func (a *App) curl(p *Plan) string {
	word := "curl"
	if len(a.o.SelfSigned) > 0 {
		word = "curl --cacert " + Quote(a.trustPath())
	}
	lines := []string{
		word + ` -X POST '` + p.BaseURL + `/` + GraphVersion + `/` + string(p.NumberID) + `/messages' \`,
		`  -H 'Authorization: Bearer ` + p.Token + `' \`,
		`  -H 'Content-Type: application/json' \`,
		`  -d '{`,
		`    "messaging_product": "whatsapp",`,
		`    "recipient_type": "individual",`,
		`    "to": "+` + string(p.UserPhone) + `",`,
		`    "type": "text",`,
		`    "text": {"body": "Your parcel is here."}`,
		`  }'`,
	}
	return "    " + strings.Join(lines, "\n    ") + "\n"
}
