package postman_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/test/postman"
)

// What a collection of the format v2.1.0 may consist of, as far as these use it. Written down apart from the generator: a
// member that is misspelled there is unknown here.
type (
	formatCollection struct {
		Info struct {
			Name, Description, Schema string
		}
		Auth     *formatAuth
		Event    []formatEvent
		Variable []formatVariable
		Item     []struct {
			Name, Description string
			Item              []formatItem
		}
	}
	formatItem struct {
		Name                    string
		Event                   []formatEvent
		ProtocolProfileBehavior map[string]bool
		Request                 struct {
			Method, Description, URL string
			Auth                     *formatAuth
			Header                   []struct{ Key, Value string }
			Body                     *struct {
				Mode, Raw  string
				Formdata   []formatPart
				Urlencoded []formatPart
				File       *struct{ Src string }
				Options    map[string]map[string]string
			}
		}
		Response []json.RawMessage
	}
	formatPart     struct{ Key, Value, Type, Src string }
	formatVariable struct{ Key, Value, Type string }
	formatAuth     struct {
		Type   string
		Bearer []formatVariable
	}
	formatEvent struct {
		Listen string
		Script struct {
			Type string
			Exec []string
		}
	}
)

func TestFilesHaveTheFormatOfPostman(t *testing.T) {
	t.Parallel()
	all, err := postman.Files(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range postman.All() {
		d := json.NewDecoder(bytes.NewReader(all[c.File]))
		d.DisallowUnknownFields()
		var f formatCollection
		if err := d.Decode(&f); err != nil {
			t.Fatalf("%s: %v", c.File, err)
		}
		if f.Info.Schema != "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" || f.Info.Name == "" || len(f.Item) == 0 {
			t.Errorf("%s: %+v", c.File, f.Info)
		}
		for _, g := range f.Item {
			for _, i := range g.Item {
				for _, problem := range i.problems() {
					t.Errorf("%s: %s: %s: %s", c.File, g.Name, i.Name, problem)
				}
			}
		}
	}
}

func (i *formatItem) problems() (out []string) {
	r := &i.Request
	if i.Name == "" || r.Method == "" || !strings.HasPrefix(r.URL, "{{") {
		out = append(out, "no name, method or address")
	}
	if r.Auth != nil && (r.Auth.Type == "bearer") != (len(r.Auth.Bearer) == 1) || r.Auth != nil && r.Auth.Type != "bearer" && r.Auth.Type != "noauth" {
		out = append(out, "no authorization that Postman knows")
	}
	tests := 0
	for _, e := range i.Event {
		if e.Listen == "test" && len(e.Script.Exec) > 0 {
			tests++
		}
		if e.Listen != "test" && e.Listen != "prerequest" || e.Script.Type != "text/javascript" {
			out = append(out, "an event that Postman does not know")
		}
	}
	if tests != 1 {
		out = append(out, "it tests nothing")
	}
	if b := r.Body; b != nil {
		has := map[string]bool{"raw": b.Raw != "", "formdata": b.Formdata != nil, "urlencoded": b.Urlencoded != nil, "file": b.File != nil}
		for mode, present := range has {
			if present != (mode == b.Mode) {
				out = append(out, "a body whose mode is "+b.Mode+" has "+mode)
			}
		}
		for _, p := range append(b.Formdata, b.Urlencoded...) {
			if p.Key == "" || p.Type != "text" && p.Type != "file" || (p.Type == "file") != (p.Src != "") {
				out = append(out, "a part that is neither text nor file")
			}
		}
	}
	return out
}
