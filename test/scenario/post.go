package scenario

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Post is a webhook.
type Post struct {
	Notes []string // what is special about it: "to /other", "answered 500"
	Body  string   // as it was posted
}

// Most webhooks are one change of one account. Files show the change, under a line that stands for the rest of the bytes.
var (
	envelope = regexp.MustCompile(`^\{"object":"whatsapp_business_account","entry":\[\{"id":"(\d+)",(?:"time":(\d+),)?"changes":\[\{"value":(.*),"field":"([a-z_]+)"\}\]\}\]\}$`)
	heading  = regexp.MustCompile(`^([a-z_]+) of (\d+)(?: at (\d+))?$`)
)

// text is the webhook as it stands in a file.
func (p *Post) text() string {
	lines := append([]string{}, p.Notes...)
	body := p.Body
	if m := envelope.FindStringSubmatch(p.Body); m != nil && json.Valid([]byte(m[3])) {
		head := m[4] + " of " + m[1]
		if m[2] != "" {
			head += " at " + m[2]
		}
		lines, body = append(lines, head), m[3]
	}
	return strings.Join(append(lines, Layout(body)), "\n")
}

// parsePost reads what text wrote, in any layout.
func parsePost(text string) *Post {
	p := &Post{}
	var head []string
	for {
		line, rest, more := strings.Cut(text, "\n")
		if !more || strings.HasPrefix(line, "{") {
			break
		}
		if m := heading.FindStringSubmatch(line); m != nil {
			head = m
		} else {
			p.Notes = append(p.Notes, line)
		}
		text = rest
	}
	if p.Body = Wire(text); head == nil {
		return p
	}
	at := ""
	if head[3] != "" {
		at = `"time":` + head[3] + `,`
	}
	p.Body = `{"object":"whatsapp_business_account","entry":[{"id":"` + head[2] + `",` + at + `"changes":[{"value":` + p.Body +
		`,"field":"` + head[1] + `"}]}]}`
	return p
}

func parsePosts(data string) (list []*Post) {
	for p := range strings.SplitSeq(data, "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			list = append(list, parsePost(p))
		}
	}
	return list
}

func postsText(list []*Post) string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = p.text()
	}
	return strings.Join(texts, "\n\n")
}
