package console

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

func TestRegistrationAsksThePerson(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.noInbox, s.pin = true, "271828"
	var asked []string
	answers := []string{"000000", "482-913", "111111", "271828"}
	o := Options{Ask: func(_ context.Context, prompt string, secret bool) (string, error) {
		if secret != strings.Contains(prompt, "PIN") {
			t.Errorf("%q is asked with secret=%v", prompt, secret)
		}
		asked = append(asked, prompt)
		a := answers[0]
		answers = answers[1:]
		return a, nil
	}}
	if _, notes, err := pipe(t, s, o, ""); err != nil || s.made != 1 {
		t.Fatalf("%v, %d registrations\n%s", err, s.made, notes)
	}
	want := "Code sent to +1 650 555 5555: |Wrong code. 4 tries left. Code: |PIN of this number: |Wrong PIN. 4 tries left. PIN: "
	if got := strings.Join(asked, "|"); got != want {
		t.Errorf("asked %q", got)
	}
}

func TestRegistrationWithoutAPerson(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		o          Options
		noInbox    bool
		pin        string
	}{
		{"no code", "--code", Options{}, true, ""},
		{"code given", "", Options{Code: "482913"}, true, ""},
		{"wrong code", "code_wrong", Options{Code: "1"}, true, ""},
		{"PIN missing", "--pin", Options{}, false, "271828"},
		{"PIN given", "", Options{PIN: "271828"}, false, "271828"},
		{"person leaves", errNobody.Error(), Options{Ask: func(context.Context, string, bool) (string, error) {
			return "", errNobody
		}}, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.noInbox, s.pin = c.noInbox, c.pin
			_, _, err := pipe(t, s, c.o, "")
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("err %v", err)
			}
		})
	}
}

func TestPhoneNumbersAreChecked(t *testing.T) {
	t.Parallel()
	for _, p := range []string{"", "12", "+", "1234567890123456"} {
		if err := Run(t.Context(), Options{Phone: p}); err == nil || !strings.Contains(err.Error(), "phone number") {
			t.Errorf("%q: %v", p, err)
		}
	}
}

func TestStatePath(t *testing.T) {
	t.Parallel()
	got, err := StatePath("http://127.0.0.1:8080/", "+1 650-555-5555")
	if err != nil || !strings.HasSuffix(got, filepath.Join("hikyaku", "chat", "127.0.0.1_8080-16505555555.state")) {
		t.Errorf("%q %v", got, err)
	}
	if _, err := StatePath("nonsense", me); err == nil {
		t.Error("took an address without a host")
	}
}
