package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	bold  = "1"
	dim   = "2"
	red   = "31"
	green = "32"
	blue  = "36"
)

func (p *player) paint(style, s string) string {
	if !p.o.Colour || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

func (p *player) print(format string, args ...any) { _, _ = fmt.Fprintf(p.o.Out, format, args...) }

func (p *player) title(s *Scenario) {
	p.print("%s\n", p.paint(bold, s.Name))
	for line := range strings.SplitSeq(strings.TrimSpace(s.About), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			p.print("%s\n", line)
		}
	}
}

func (p *player) story(s string) { p.print("\n%s\n", p.paint(bold, strings.TrimSpace(s))) }

// line is one line of the transcript, with the platform's day and time.
func (p *player) line(mark, what, text string) {
	day := int(p.now.UTC().Truncate(24*time.Hour).Sub(p.first.UTC().Truncate(24*time.Hour)) / (24 * time.Hour))
	style := dim
	switch mark {
	case "✓":
		style = green
	case "✗":
		style = red
	}
	if mark == "" {
		mark = " "
	}
	if what == "webhook" {
		style = blue
	}
	p.print("%s %s %s\n", p.paint(dim, fmt.Sprintf("day %d %s", day, p.now.UTC().Format("15:04:05"))), p.paint(style, fmt.Sprintf("%s %-9s", mark, what)), text)
}

// shown are the members of a webhook's value that tell its story, in this order.
var shown = []string{
	"event", "violation_info.violation_type", "restriction_info.0.restriction_type", "restriction_info.1.restriction_type", "ban_info.waba_ban_state",
	"message_template_name", "reason", "other_info.title", "previous_quality_score", "new_quality_score", "max_daily_conversations_per_business",
	"alert_info.alert_type", "decision", "user_preferences.0.value",
}

// hooks tells of the webhooks that came since the last time.
func (p *player) hooks() {
	for _, u := range p.mail.fresh() {
		var list []string
		for _, path := range shown {
			if v := lookup(u.value, path); v != nil {
				if path == "new_quality_score" && len(list) > 0 {
					list = append(list, "→")
				}
				list = append(list, fmt.Sprint(v))
			}
		}
		if until, err := strconv.ParseInt(fmt.Sprint(lookup(u.value, "restriction_info.0.expiration")), 10, 64); err == nil && until <= p.now.Unix() {
			list = append(list, "(ends now)")
		}
		p.line("", "webhook", u.field+" "+strings.Join(list, " "))
	}
}

func (p *player) verdict(steps int, took time.Duration) {
	p.print("\n%s %d steps, %d expectations met, %s of platform time in %s\n", p.paint(green, "ok"), steps, p.met, span(p.now.Sub(p.first)),
		took.Round(100*time.Millisecond))
}

// span is a duration in days, hours and so on.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	days := d / (24 * time.Hour)
	rest := (d % (24 * time.Hour)).String()
	if strings.HasSuffix(rest, "m0s") {
		rest = strings.TrimSuffix(rest, "0s")
	}
	if strings.HasSuffix(rest, "h0m") {
		rest = strings.TrimSuffix(rest, "0m")
	}
	switch {
	case days == 0:
		return rest
	case rest == "0s":
		return fmt.Sprintf("%dd", days)
	}
	return fmt.Sprintf("%dd%s", days, rest)
}

// pairs are the members of m behind commas.
func pairs(m map[string]any) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, ", %s %v", k, m[k])
	}
	return b.String()
}

func people(n int) string {
	if n <= 1 {
		return "1 person"
	}
	return strconv.Itoa(n) + " people"
}

// refusals says how many calls were refused, by code.
func refusals(codes map[string]int) string {
	var b strings.Builder
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		fmt.Fprintf(&b, ", %d refused with %s", codes[code], code)
	}
	return b.String()
}

// outcomes are the messages by status, then the failed ones by code.
func outcomes(then map[string]int) string {
	states, codes := map[string]int{}, map[string]int{}
	for k, n := range then {
		if _, err := strconv.Atoi(k); err == nil {
			codes[k] = n
		} else {
			states[k] = n
		}
	}
	return counts("; then", states) + counts(", with code", codes)
}

// counts are the entries of m behind a word; nothing for none.
func counts(word string, m map[string]int) string {
	if len(m) == 0 {
		return ""
	}
	var list []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, fmt.Sprintf("%s %d", k, m[k]))
	}
	return word + " " + strings.Join(list, ", ")
}
