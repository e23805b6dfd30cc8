package access_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/wa"
	"pgregory.net/rapid"
)

func TestIssuedTokenHasThePublishedShape(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, c := w.issue(t, w.admin, nil)
	if !regexp.MustCompile(`^EAA[A-Za-z0-9]{97,247}$`).MatchString(token) || len(token) != access.TokenChars {
		t.Errorf("token %q (%d characters)", token, len(token))
	}
	if c.Type != access.SystemUserToken || c.App != w.app || c.Actor.ID != string(w.admin.ID) || !c.Can(access.PublicProfile) {
		t.Errorf("caller %+v", c)
	}
	restarted, _ := open(t, w.store)
	if again, err := restarted.Authenticate(t.Context(), token); err != nil || again.Actor.ID != c.Actor.ID {
		t.Errorf("after a restart: %v", err)
	}
}

// Source: spec/errors.md section 5.1.
func TestRefusedTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, _ := w.issue(t, w.admin, nil)
	foreign := newWorldWithPepper(t, 9)
	flipped := token[:50] + string(rune('A'+(token[50]-'A'+1)%26)) + token[51:]
	for _, c := range []struct{ name, token, want string }{
		{"no token", "", "An access token is required to request this resource."},
		{"not a token of ours at all", "nonsense", "Invalid OAuth access token - Cannot parse access token"},
		{"too long to be one", strings.Repeat("A", 4000), "Invalid OAuth access token - Cannot parse access token"},
		{"a character outside the alphabet", "abc def", "Malformed access token abc def"},
		{"a good token with a line feed", token + "\n", "Malformed access token EAA" + token[3:4] + "…"},
		{"right prefix, nothing behind", "EAA", "The access token could not be decrypted"},
		{"one character changed", flipped, "The access token could not be decrypted"},
		{"cut short", token[:len(token)-1], "The access token could not be decrypted"},
		{"issued under another pepper", foreign, "The access token could not be decrypted"},
		{"app token with a wrong secret", "440330220110550|" + strings.Repeat("0", 32), "Invalid OAuth access token"},
		{"app token of an unknown app", "440330220110559|" + appSecret, "Invalid OAuth access token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := w.Authenticate(t.Context(), c.token)
			var row *wa.Error
			if !errors.As(err, &row) || row.Message() != c.want {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func newWorldWithPepper(t *testing.T, b byte) string {
	t.Helper()
	w := newWorld(t)
	s, err := access.New(t.Context(), w.store, access.Options{Clock: w.clock, Sealer: sealer{}, Pepper: []byte(strings.Repeat(string(b), 32))})
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := s.Issue(t.Context(), access.TokenSpec{Type: access.SystemUserToken, App: w.app.ID, Actor: string(w.admin.ID)})
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal()
}

func TestForgottenTokenIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, _ := w.issue(t, w.admin, nil)
	empty, _ := open(t, &memory{})
	_, err := empty.Authenticate(t.Context(), token)
	var row *wa.Error
	if !errors.As(err, &row) || row.Code != 190 || row.Message() != "Invalid OAuth access token" {
		t.Errorf("got %v", err)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, _ := w.issue(t, w.admin, func(s *access.TokenSpec) { s.Life = time.Hour })
	w.clock.now = w.clock.now.Add(time.Hour - time.Second)
	if _, err := w.Authenticate(t.Context(), token); err != nil {
		t.Errorf("a second before: %v", err)
	}
	w.clock.now = w.clock.now.Add(6 * time.Minute)
	_, err := w.Authenticate(t.Context(), token)
	var row *wa.Error
	want := "Error validating access token: Session has expired on Monday, 05-Jan-26 11:00:00 PST. The current time is Monday, 05-Jan-26 11:05:59 PST."
	if !errors.As(err, &row) || row.Code != 190 || row.Subcode != 463 || row.HTTP != 401 || row.Message() != want {
		t.Errorf("got %v", err)
	}
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why     access.Reason
		subcode int
	}{{access.LoggedOut, 467}, {access.AppRemoved, 458}, {access.PasswordChanged, 460}} {
		t.Run(string(c.why), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			token, _ := w.issue(t, w.admin, nil)
			other, _ := w.issue(t, w.employee, nil)
			n, err := w.Revoke(t.Context(), c.why, func(t *access.Token) bool { return t.Actor == string(w.admin.ID) })
			if err != nil || n != 1 {
				t.Fatal(n, err)
			}
			_, err = w.Authenticate(t.Context(), token)
			var row *wa.Error
			if !errors.As(err, &row) || row.Subcode != c.subcode {
				t.Errorf("got %v", err)
			}
			if _, err := w.Authenticate(t.Context(), other); err != nil {
				t.Errorf("another token: %v", err)
			}
			if c.subcode == 458 && !strings.Contains(row.Message(), "authorized application 440330220110550.") {
				t.Errorf("message %q", row.Message())
			}
		})
	}
}

func TestDeclaredTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	spec := access.TokenSpec{Type: access.SystemUserToken, App: w.app.ID, Actor: string(w.admin.ID), Scopes: both}
	if _, err := w.Declare(t.Context(), "fifteen-letters", spec); err == nil {
		t.Error("a token of 15 characters is accepted")
	}
	const fixed = "ci token, with spaces & such"
	for range 2 {
		if _, err := w.Declare(t.Context(), fixed, spec); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Authenticate(t.Context(), fixed); err != nil {
		t.Errorf("declared token: %v", err)
	}
	if _, err := w.ResetSecret(t.Context(), w.app.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Authenticate(t.Context(), fixed); err != nil {
		t.Errorf("declared tokens outlive the app secret: %v", err)
	}
}

func TestAppSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, _ := w.issue(t, w.admin, nil)
	c, err := w.Authenticate(t.Context(), "440330220110550|"+appSecret)
	if err != nil || c.Type != access.AppToken || c.App != w.app || c.Can(access.Management) {
		t.Fatalf("app token: %v %+v", err, c)
	}
	secret, err := w.ResetSecret(t.Context(), w.app.ID)
	if err != nil || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(secret.Reveal()) {
		t.Fatal(err, secret.Reveal())
	}
	var row *wa.Error
	if _, err = w.Authenticate(t.Context(), "440330220110550|"+appSecret); !errors.As(err, &row) || row.Code != 190 {
		t.Errorf("the old secret: %v", err)
	}
	if _, err = w.Authenticate(t.Context(), "440330220110550|"+secret.Reveal()); err != nil {
		t.Errorf("the new secret: %v", err)
	}
	if _, err = w.Authenticate(t.Context(), token); !errors.As(err, &row) || row.Subcode != 460 {
		t.Errorf("tokens of an app whose secret was reset: %v", err)
	}
	if v, err := w.VerifyToken(w.app.ID); err != nil || v.Reveal() != verifyToken {
		t.Errorf("verify token: %v", err)
	}
	if _, err := w.CreateApp(t.Context(), access.NewApp{Secret: "short"}); err == nil {
		t.Error("an app secret of five characters is accepted")
	}
}

func TestKeptTokensCanBeReadAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret, tok, err := w.Issue(t.Context(), access.TokenSpec{
		Type: access.SystemUserToken, App: w.app.ID, Actor: string(w.admin.ID), Keep: true, Label: "starter",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.Reveal(tok); err != nil || got != secret {
		t.Errorf("reveal: %v", err)
	}
	_, other := w.issue(t, w.admin, nil)
	if _, err := w.Reveal(other.Token); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("a token that is not kept: %v", err)
	}
}

func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, c := w.issue(t, w.admin, func(s *access.TokenSpec) { s.Keep = true })
	_, bad := w.Authenticate(t.Context(), token+" ")
	s := access.Secret(appSecret)
	var b strings.Builder
	log := slog.New(slog.NewJSONHandler(&b, nil))
	log.Info("x", "caller", c, "app", c.App, "token", c.Token, "secret", s, "err", bad)
	fmt.Fprintf(&b, "%v %+v %#v %s %q", s, s, s, s, []access.Secret{s})
	for _, v := range w.store.set {
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(j)
	}
	for _, secret := range []string{token, token[10:60], appSecret, verifyToken} {
		if strings.Contains(b.String(), secret) {
			t.Errorf("%q is printed or stored", secret)
		}
	}
}

func TestAppSecretProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, c := w.issue(t, w.admin, nil)
	now := fmt.Sprint(w.clock.now.Unix())
	old := fmt.Sprint(w.clock.now.Add(-5*time.Minute - time.Second).Unix())
	strict := *c
	strict.App = &access.App{ID: w.app.ID, Secret: w.app.Secret, RequireProof: true}
	for _, x := range []struct {
		name        string
		caller      *access.Caller
		proof, time string
		force       bool
		want        error
	}{
		{"not sent, not required", c, "", "", false, nil},
		{"not sent, the app requires it", &strict, "", "", false, wa.ErrProofRequired},
		{"not sent, the edge requires it", c, "", "", true, wa.ErrProofRequired},
		{"right", c, mac(appSecret, token), "", false, nil},
		{"right, upper case hex", c, strings.ToUpper(mac(appSecret, token)), "", false, nil},
		{"right, with time", &strict, mac(appSecret, token+"|"+now), now, false, nil},
		{"of another time", c, mac(appSecret, token), now, false, wa.ErrProofInvalid},
		{"too old", c, mac(appSecret, token+"|"+old), old, false, wa.ErrProofInvalid},
		{"wrong key", c, mac("x", token), "", false, wa.ErrProofInvalid},
		{"not hex", c, "zz", "", false, wa.ErrProofInvalid},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			err := w.CheckProof(x.caller, token, x.proof, x.time, x.force)
			if (x.want == nil) != (err == nil) || x.want != nil && err.Error() != x.want.Error() {
				t.Errorf("got %v, want %v", err, x.want)
			}
		})
	}
}

func TestInspectNeverTakesWhatWasNotIssued(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, _ := w.issue(t, w.admin, nil)
	if got := w.Inspect(token); got != "genuine" {
		t.Fatal(got)
	}
	rapid.Check(t, func(r *rapid.T) {
		b := []byte(token)
		i := rapid.IntRange(0, len(b)-1).Draw(r, "at")
		c := rapid.SampledFrom([]byte("09AZaz|~")).Draw(r, "to")
		if b[i] == c {
			return
		}
		b[i] = c
		if got := w.Inspect(string(b)); got == "genuine" {
			r.Fatalf("changed character %d to %c: genuine", i, c)
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	w := newWorldB(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.s.Authenticate(b.Context(), w.token); err != nil {
			b.Fatal(err)
		}
	}
}

type benchWorld struct {
	s     *access.Service
	token string
}

func newWorldB(b *testing.B) benchWorld {
	b.Helper()
	s, err := access.New(b.Context(), &memory{}, access.Options{Clock: &at{}, Sealer: sealer{}, Pepper: make([]byte, 32)})
	if err != nil {
		b.Fatal(err)
	}
	app, err := s.CreateApp(b.Context(), access.NewApp{Business: business})
	if err != nil {
		b.Fatal(err)
	}
	u, err := s.CreateSystemUser(b.Context(), access.SystemUser{Business: business})
	if err != nil {
		b.Fatal(err)
	}
	secret, _, err := s.Issue(b.Context(), access.TokenSpec{Type: access.SystemUserToken, App: app.ID, Actor: string(u.ID)})
	if err != nil {
		b.Fatal(err)
	}
	return benchWorld{s, secret.Reveal()}
}

// FuzzToken presents texts as tokens: none of them is one, and the refusal is a row that shows little of the text.
func FuzzToken(f *testing.F) {
	for _, s := range []string{"", "EAA", "1|2", "440330220110550|", "EAA" + strings.Repeat("z", 97), "\x00", "abc def"} {
		f.Add(s)
	}
	s, err := access.New(f.Context(), &memory{}, access.Options{Clock: &at{}, Sealer: sealer{}, Pepper: make([]byte, 32)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		c, err := s.Authenticate(t.Context(), token)
		var row *wa.Error
		if c != nil || !errors.As(err, &row) || row.HTTP < 400 || row.HTTP > 499 {
			t.Fatalf("%q: %+v, %v", token, c, err)
		}
		if text := row.Message(); len(token) > 20 && strings.Contains(text, token) {
			t.Errorf("%q is told again: %s", token, text)
		}
		if s.Inspect(token) == "genuine" {
			t.Errorf("%q passes for a token", token)
		}
	})
}
