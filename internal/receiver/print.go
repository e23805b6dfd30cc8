package receiver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Printer writes deliveries for people: a headline, then the JSON, indented, in colour when Colour is set.
type Printer struct {
	Out    io.Writer
	Colour bool

	mu sync.Mutex
}

const (
	dim    = "\x1b[2m"
	bold   = "\x1b[1m"
	green  = "\x1b[32m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	blue   = "\x1b[34m"
	reset  = "\x1b[0m"
)

func (p *Printer) paint(style, s string) string {
	if !p.Colour {
		return s
	}
	return style + s + reset
}

func (p *Printer) note(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.Out, p.paint(dim, "· "+s))
}

func (p *Printer) payload(n int, err error, body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	verdict := p.paint(green, "✓ signature")
	switch {
	case errors.Is(err, errUnverified):
		verdict = p.paint(yellow, "! "+err.Error())
	case err != nil:
		verdict = p.paint(red, "✗ "+err.Error())
	}
	fmt.Fprintf(p.Out, "\n%s  %s  %s\n", p.paint(bold, fmt.Sprintf("#%d %s", n, headline(body))), verdict,
		p.paint(dim, fmt.Sprintf("%d bytes", len(body))))
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "", "  ") != nil {
		fmt.Fprintf(p.Out, "%q\n", body)
		return
	}
	for line := range strings.Lines(pretty.String()) {
		_, _ = io.WriteString(p.Out, p.colourLine(line))
	}
	fmt.Fprintln(p.Out)
}

// colourLine paints the key of an indented line of JSON blue and its string value green.
func (p *Printer) colourLine(line string) string {
	if !p.Colour {
		return line
	}
	body := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(body)]
	key, value, ok := strings.Cut(body, `": `)
	if !ok || !strings.HasPrefix(key, `"`) {
		if strings.HasPrefix(body, `"`) {
			return indent + green + body + reset
		}
		return line
	}
	if strings.HasPrefix(value, `"`) {
		value = green + strings.TrimRight(value, "\n") + reset + "\n"
	}
	return indent + blue + key + `"` + reset + ": " + value
}

// headline says in a few words what a payload is about.
func headline(body []byte) string {
	var p struct {
		Entry []struct {
			Changes []struct {
				Field string
				Value struct {
					Statuses []struct{ Status string }
					Messages []struct{ Type string }
				}
			}
		}
	}
	if json.Unmarshal(body, &p) != nil {
		return "not JSON"
	}
	var words []string
	for _, e := range p.Entry {
		for _, c := range e.Changes {
			for _, s := range c.Value.Statuses {
				words = append(words, s.Status)
			}
			for _, m := range c.Value.Messages {
				words = append(words, "message ("+m.Type+")")
			}
			if len(c.Value.Statuses)+len(c.Value.Messages) == 0 {
				words = append(words, c.Field)
			}
		}
	}
	const most = 6
	if len(words) > most {
		words = append(words[:most], fmt.Sprintf("and %d more", len(words)-most))
	}
	return strings.Join(words, ", ")
}
