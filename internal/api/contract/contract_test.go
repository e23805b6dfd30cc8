package contract_test

import (
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/api/contract"
	"github.com/hikyaku/hikyaku/internal/graph"
)

func TestNothingIsServedWithoutWords(t *testing.T) {
	t.Parallel()
	_, err := contract.New(graph.Description{
		Endpoints: []graph.Endpoint{{Route: "GET moon/phases", Method: "GET", Kind: "moon", Path: "phases"}},
		Types: []graph.Type{
			{Name: "Moon"},
			{Name: "WhatsAppQRDL", Fields: []graph.TypeField{{Name: "tide"}}},
		},
	}, func(graph.Endpoint) contract.Right { return contract.Right{} })
	if err == nil {
		t.Fatal("nobody complains")
	}
	for _, want := range []string{
		`call "GET moon/phases" has no words`, `type "Moon" has no words`, `field WhatsAppQRDL.tide has no words`,
		`words for "POST phone_number/messages", which is not served`, `words for field WhatsAppQRDL.code, which is not served`,
		`words for type "Business", which is not served`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nobody says: %s", want)
		}
	}
}

func TestRightsInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		right contract.Right
		want  string
	}{
		{contract.Right{}, ""},
		{contract.Right{Scopes: []string{"a", "b"}, Task: "DEVELOP"}, "`a` or `b`, task DEVELOP"},
		{contract.Right{Scopes: []string{"a", "b"}, All: true, Admin: true}, "`a` and `b`, role ADMIN"},
		{contract.Right{Own: "the system user's own token, or", Scopes: []string{"a"}}, "the system user's own token, or `a`"},
	} {
		if got := c.right.String(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.right, got, c.want)
		}
	}
}
