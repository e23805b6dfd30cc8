package store_test

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

var update = flag.Bool("update", false, "add the fields of documents that are new")

// Documents are stored under the names of their Go fields. A field that disappears or changes its kind would lose what is
// stored under it without a word: that fails here. New fields are added with -update.
func TestDocumentsKeepTheirNames(t *testing.T) {
	t.Parallel()
	var have []string
	for _, v := range []any{
		business.Portfolio{},
		business.WABA{},
		business.Number{},
		business.QRCode{},
		business.Preverified{},
		business.Budget{},
		business.Solution{},
		business.Intent{},
		business.Certification{},
		business.Notice{},
		business.Activity{},
		access.App{},
		access.SystemUser{},
		access.Person{},
		access.Token{},
		access.Invitation{},
		access.Session{},
		template.Template{},
		template.Group{},
		flow.Flow{},
		flow.Retirement{},
		webhook.Subscription{},
		webhook.Link{},
		webhook.NumberOverride{},
		network.News{},
	} {
		typ := reflect.TypeOf(v)
		have = append(have, fields(typ.String(), typ)...)
	}
	slices.Sort(have)
	path := filepath.Join("testdata", "documents.txt")
	if *update {
		if err := os.WriteFile(path, []byte(strings.Join(have, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields(string(b))
	for _, k := range known {
		if !slices.Contains(have, k) {
			t.Errorf("%s is stored and not read any more: keep the name, or migrate the documents and take it out of %s", k, path)
		}
	}
	for _, h := range have {
		if !slices.Contains(known, h) {
			t.Errorf("%s is not in %s: go test ./internal/store -run Documents -update", h, path)
		}
	}
}

// fields lists the paths of everything JSON writes, with the kind of the value.
func fields(path string, typ reflect.Type, within ...reflect.Type) []string {
	switch {
	case slices.Contains(within, typ): // a type that holds itself: cards of a carousel are made of components
		return []string{path + ":" + typ.String()}
	case typ.PkgPath() == "time" || typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Uint8:
		return []string{path + ":" + typ.String()}
	case typ.Kind() == reflect.Slice:
		return fields(path+"[]", typ.Elem(), within...)
	case typ.Kind() == reflect.Struct:
		var out []string
		for f := range typ.Fields() {
			if f.Anonymous { // its members are written as if they were the struct's own
				out = append(out, fields(path, f.Type, append(slices.Clip(within), typ)...)...)
			} else if f.IsExported() {
				out = append(out, fields(path+"."+f.Name, f.Type, append(slices.Clip(within), typ)...)...)
			}
		}
		return out
	}
	return []string{path + ":" + typ.Kind().String()}
}
