package postman_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/test/postman"
)

func TestFilesAreGenerated(t *testing.T) {
	t.Parallel()
	all, err := postman.Files(files)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range all {
		got, err := os.ReadFile("../../postman/" + name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("postman/%s differs from its source (%v): run go generate ./test/postman", name, err)
		}
	}
}

// A call that is served and that no request makes fails here, and so does a request of a call that is not served.
func TestEveryCallIsInACollection(t *testing.T) {
	t.Parallel()
	c, err := api.Describe()
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for _, set := range postman.All() {
		for _, f := range set.Folders {
			for _, i := range f.Items {
				asked[i.Route()] = true
			}
		}
	}
	served := map[string]bool{"": true}
	for _, call := range c.Calls {
		served[call.Route] = true
		if !asked[call.Route] {
			t.Errorf("no request makes %s: add one to test/postman, then go generate ./test/postman", call.Route)
		}
	}
	for route := range asked {
		if !served[route] {
			t.Errorf("a request makes %s, which is not served", route)
		}
	}
}
