package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/tools/txtar"
)

// File is a scenario: a few words about it, settings of the platform, and steps in the order in which they are taken.
type File struct {
	Name     string // of the file, without folder and extension
	About    string // the text before the first section
	Settings []string
	Steps    []*Step
}

// Step is something that is done, and everything that comes of it.
type Step struct {
	Do       string // the header line of the section
	Label    string // how later steps refer to this one; may be empty
	Request  *Request
	Answer   *Answer
	Webhooks []*Post
}

// Request is a call of the Graph API or, below /control/v1/, of the control API.
type Request struct {
	Times        int // how often it is made; the answer is the last one
	Method, Path string
	Header       http.Header
	Body         string // as it stands in the file
	raw          string
}

// Answer is what a call returned.
type Answer struct {
	Status int
	Header [][2]string // those that are worth showing, in order
	Body   string
}

// Control says whether the call is one of the control API.
func (r *Request) Control() bool { return strings.HasPrefix(r.Path, ControlPath) }

// ControlPath is where the control API begins.
const ControlPath = "/control/v1/"

const (
	settingsTitle = "platform"
	webhooksTitle = "webhooks"
)

var (
	callTitle   = regexp.MustCompile(`^(?:([a-z][a-z0-9_]*): )?(?:(\d+) times )?(GET|POST|DELETE|PUT|HEAD) ((?:/|\$\{)\S*)$`)
	statusTitle = regexp.MustCompile(`^[1-5]\d\d$`)
)

// Read reads the scenario file at path.
func Read(path string) (*File, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	name := path[strings.LastIndexAny(path, `/\`)+1:]
	f, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f.Name = strings.TrimSuffix(name, ".txtar")
	return f, nil
}

// Parse reads a scenario.
func Parse(b []byte) (*File, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("the file is not UTF-8")
	}
	a := txtar.Parse(b)
	f := &File{About: string(a.Comment)}
	for line := range strings.Lines(f.About) {
		if strings.HasPrefix(strings.TrimSpace(line), "-- ") { // txtar takes a title that is not quite one for text
			return nil, fmt.Errorf("%q is no title of a section", line)
		}
	}
	for _, s := range a.Files {
		if err := f.section(s.Name, string(s.Data)); err != nil {
			return nil, fmt.Errorf("section %q: %w", s.Name, err)
		}
	}
	return f, nil
}

func (f *File) section(title, data string) error {
	last := func() (*Step, error) {
		if len(f.Steps) == 0 {
			return nil, fmt.Errorf("nothing was done before it")
		}
		return f.Steps[len(f.Steps)-1], nil
	}
	switch m := callTitle.FindStringSubmatch(title); {
	case title == settingsTitle && len(f.Steps) == 0:
		f.Settings = strings.Split(strings.TrimSpace(data), "\n")
	case title == webhooksTitle:
		s, err := last()
		if err != nil {
			return err
		}
		s.Webhooks = parsePosts(data)
	case statusTitle.MatchString(title):
		s, err := last()
		if err != nil {
			return err
		}
		if s.Request == nil || s.Answer != nil {
			return fmt.Errorf("an answer without a question")
		}
		s.Answer = &Answer{}
		s.Answer.Status, _ = strconv.Atoi(title)
		var head string
		head, s.Answer.Body = split(data)
		s.Answer.Body = Wire(s.Answer.Body)
		for line := range strings.Lines(head) {
			k, v := header(line)
			s.Answer.Header = append(s.Answer.Header, [2]string{k, v})
		}
	case m != nil:
		if m[1] != "" && slices.ContainsFunc(f.Steps, func(s *Step) bool { return s.Label == m[1] }) {
			return fmt.Errorf("the label is taken")
		}
		if data = strings.TrimRight(data, "\n"); data != "" {
			data += "\n"
		}
		r := &Request{Times: 1, Method: m[3], Path: m[4], Header: http.Header{}, raw: data}
		head, body := split(data)
		for line := range strings.Lines(head) {
			r.Header.Add(header(line))
		}
		r.Body = body
		if m[2] != "" {
			r.Times, _ = strconv.Atoi(m[2])
		}
		f.Steps = append(f.Steps, &Step{Do: title, Label: m[1], Request: r})
	default:
		if strings.TrimSpace(data) != "" {
			return fmt.Errorf("there is no such step with a body")
		}
		f.Steps = append(f.Steps, &Step{Do: title})
	}
	return nil
}

var headerLine = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*: `)

// header reads a line of a header; one without a value may lack its colon.
func header(line string) (key, value string) {
	key, value, _ = strings.Cut(line, ":")
	return strings.TrimSpace(key), strings.TrimSpace(value)
}

// split separates the header lines of a call or an answer from its body.
func split(data string) (head, body string) {
	if !headerLine.MatchString(data) {
		return "", strings.TrimRight(data, "\n")
	}
	head, body, _ = strings.Cut(data, "\n\n")
	return head, strings.TrimRight(body, "\n")
}

// Format writes the scenario. Requests stay as they were written; answers and webhooks are laid out.
func (f *File) Format() []byte {
	a := &txtar.Archive{Comment: []byte(strings.TrimSpace(f.About) + "\n\n")}
	add := func(title string, lines ...string) {
		data := strings.Join(lines, "\n")
		if data = strings.TrimRight(data, "\n"); data != "" {
			data += "\n"
		}
		a.Files = append(a.Files, txtar.File{Name: title, Data: []byte(data)})
	}
	gap := func() {
		last := &a.Files[len(a.Files)-1]
		last.Data = append(last.Data, '\n')
	}
	if f.Settings != nil {
		add(settingsTitle, f.Settings...)
		gap()
	}
	for _, s := range f.Steps {
		add(s.Do)
		if s.Request != nil {
			a.Files[len(a.Files)-1].Data = []byte(s.Request.raw)
		}
		if s.Answer != nil {
			add(strconv.Itoa(s.Answer.Status), s.Answer.text())
		}
		if len(s.Webhooks) > 0 {
			add(webhooksTitle, postsText(s.Webhooks))
		}
		gap()
	}
	return append(bytes.TrimRight(txtar.Format(a), "\n"), '\n')
}

// text is the answer as it stands in a file.
func (a *Answer) text() string {
	var b strings.Builder
	for _, h := range a.Header {
		b.WriteString(h[0] + ": " + h[1] + "\n")
	}
	if a.Header != nil {
		b.WriteByte('\n')
	}
	return b.String() + Layout(a.Body)
}
