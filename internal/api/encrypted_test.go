package api_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // RSA-OAEP of RFC 7518
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"hash"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// seal makes a compact JWE with nothing but the standard library: RFC 7516, section 5.1.
func sealJWE(t *testing.T, key *rsa.PublicKey, header string, h hash.Hash, size int, plain string) string {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	content, nonce := make([]byte, size), make([]byte, 12)
	_, _ = rand.Read(content)
	_, _ = rand.Read(nonce)
	wrapped, err := rsa.EncryptOAEP(h, rand.Reader, key, content, nil)
	if err != nil {
		t.Fatal(err)
	}
	sealed := gcmOf(t, content).Seal(nil, nonce, []byte(plain), []byte(b64([]byte(header))))
	body, tag := sealed[:len(sealed)-16], sealed[len(sealed)-16:]
	return strings.Join([]string{b64([]byte(header)), b64(wrapped), b64(nonce), b64(body), b64(tag)}, ".")
}

func gcmOf(t *testing.T, key []byte) cipher.AEAD {
	t.Helper()
	b, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	g, err := cipher.NewGCM(b)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// openJWE is the other way round; it returns the header too.
func openJWE(t *testing.T, key *rsa.PrivateKey, text string) (header, plain string) {
	t.Helper()
	var parts [][]byte
	for p := range strings.SplitSeq(text, ".") {
		b, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, b)
	}
	if len(parts) != 5 {
		t.Fatalf("%q is no JWE", text)
	}
	content, err := rsa.DecryptOAEP(sha256.New(), nil, key, parts[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(text, ".")
	b, err := gcmOf(t, content).Open(nil, parts[2], append(parts[3], parts[4]...), []byte(first))
	if err != nil {
		t.Fatal(err)
	}
	return string(parts[0]), string(b)
}

// Source: spec/messages.md section 19, spec/security.md section A9, spec/phone_numbers.md section 9.
func TestSendsInsideAJWE(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	client, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&client.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	settings, send := "POST /v23.0/"+numLive+"/settings", "POST /v23.0/"+numLive+"/messages_encrypted"
	body := func(jwe string) string { return `{"messaging_product":"whatsapp","encrypted_contents":"` + jwe + `"}` }
	off := graphError("(#200) Insufficient permissions for this operation", `"code":200`)
	w.direct("admin", send, body("a.b.c.d.e")).want(t, 403, off)
	for key, want := range map[string]string{"": "client_encryption_key'] is required", "AAAA": "must be an RSA", "***": "must be an RSA"} {
		if r := w.direct("admin", settings, `{"payload_encryption":{"status":"ENABLED","client_encryption_key":"`+key+`"}}`); r.status != 400 || !strings.Contains(r.body, `"code":100`) || !strings.Contains(r.body, want) {
			t.Errorf("%q: %d %s", key, r.status, r.body)
		}
	}
	w.direct("admin", settings, `{"payload_encryption":{"status":"ENABLED"}}`).want(t, 400, graphError("(#100) The parameter payload_encryption['client_encryption_key'] is required.", `"code":100`))
	w.direct("admin", settings, `{"payload_encryption":{"status":"ENABLED","x":1}}`).want(t, 400, graphError(`(#100) Unexpected key \"x\" on param \"payload_encryption\".`, `"code":100`))
	r := w.direct("admin", settings, `{"payload_encryption":{"status":"enabled","client_encryption_key":"`+base64.StdEncoding.EncodeToString(der)+`"}}`)
	var set struct {
		Success bool
		Payload struct {
			Status, Key string
			Print       string `json:"client_encryption_key_fingerprint"`
			Cloud       string `json:"cloud_encryption_key"`
		} `json:"payload_encryption"`
	}
	if err := json.Unmarshal([]byte(r.body), &set); err != nil || r.status != 200 || !set.Success {
		t.Fatalf("%d %s", r.status, r.body)
	}
	sum := sha256.Sum256(der)
	block, _ := pem.Decode([]byte(set.Payload.Cloud))
	if block == nil || set.Payload.Status != "ENABLED" || set.Payload.Print != hex.EncodeToString(sum[:]) {
		t.Fatalf("%s", r.body)
	}
	if r := w.direct("admin", "GET /v23.0/"+numLive+"/settings", ""); !strings.Contains(r.body, `"payload_encryption":{"status":"ENABLED","client_encryption_key_fingerprint":"`+set.Payload.Print) {
		t.Errorf("%s", r.body)
	}
	any, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	cloud := any.(*rsa.PublicKey)
	for _, tc := range []struct {
		header string
		h      hash.Hash
		size   int
	}{{`{"alg":"RSA-OAEP-256","enc":"A256GCM"}`, sha256.New(), 32}, {`{"alg":"RSA-OAEP","enc":"A128GCM"}`, sha1.New(), 16}} {
		r := w.direct("admin", send, body(sealJWE(t, cloud, tc.header, tc.h, tc.size, hello)))
		var got struct {
			Product string `json:"messaging_product"`
			JWE     string `json:"encrypted_contents"`
		}
		if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.status != 200 || got.Product != "whatsapp" {
			t.Fatalf("%d %s", r.status, r.body)
		}
		header, plain := openJWE(t, client, got.JWE)
		if enc := tc.header[strings.Index(tc.header, `"enc"`) : len(tc.header)-1]; !strings.Contains(header, enc) || !strings.Contains(plain, `"messages":[{"id":"wamid.`) {
			t.Errorf("%s: %s %s", tc.header, header, plain)
		}
	}
	h := `{"alg":"RSA-OAEP-256","enc":"A256GCM"}`
	good := sealJWE(t, cloud, h, sha256.New(), 32, hello)
	bad := cloudError("(#100) Invalid parameter", "100", "Invalid JWE token format")
	for name, jwe := range map[string]string{
		"for somebody else": sealJWE(t, &client.PublicKey, h, sha256.New(), 32, hello), "cut": good[:len(good)-4], "four parts": "a.b.c.d", "none": "",
		"another algorithm": sealJWE(t, cloud, `{"alg":"RSA1_5","enc":"A256GCM"}`, sha256.New(), 32, hello), "no tag": good[:strings.LastIndex(good, ".")+1],
	} {
		if r := w.direct("admin", send, body(jwe)); r.status != 400 || r.body != bad {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	w.direct("admin", send, body(sealJWE(t, cloud, h, sha256.New(), 32, `{"messaging_product":"whatsapp"}`))).want(t, 400, graphError("(#100) The parameter to is required.", `"code":100`))
	w.direct("admin", settings, `{"payload_encryption":{"status":"DISABLED"}}`).want(t, 200, done)
	w.direct("admin", send, body(good)).want(t, 403, off)
}

// A number that is not registered may have its data kept where the server is. Source: spec/security.md sections A5 and B2.
func TestStorageInACountry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	settings := "/v23.0/" + numPending + "/settings"
	set := func(id, body string) reply {
		return w.direct("admin", "POST /v23.0/"+id+"/settings", `{"storage_configuration":`+body+`}`)
	}
	const japan = `{"status":"IN_COUNTRY_STORAGE_ENABLED","data_localization_region":"jp"}`
	for body, want := range map[string]string{
		`{"status":"IN_COUNTRY_STORAGE_ENABLED"}`:                                 "data_localization_region",
		`{"status":"IN_COUNTRY_STORAGE_ENABLED","data_localization_region":"FR"}`: "must be one of {AU,",
		`{"status":"IN_COUNTRY_STORAGE_ENABLED","data_localization_region":"DE"}`: "keeps data in JP, not in DE",
		`{"status":"NO_STORAGE_ENABLED","retention_minutes":30}`:                  "must be 60",
		`{"status":"NO_STORAGE_ENABLED","retention_minutes":60}`:                  "the operator of this server has not granted it",
		`{"status":"SOMEWHERE"}`:                                                  "must be one of", `{"status":"IN_COUNTRY_STORAGE_DISABLED","x":1}`: "Unexpected key",
	} {
		if r := set(numPending, body); r.status != 400 || !strings.Contains(r.body, `"code":100`) || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d %s", body, r.status, r.body)
		}
	}
	w.direct("admin", "GET "+settings, "").want(t, 200, `{"calling":{"status":"DISABLED"},"user_identity_change":{"enable_identity_key_check":false},"payload_encryption":{"status":"DISABLED"},"storage_configuration":{"status":"DEFAULT"}}`)
	set(numPending, japan).want(t, 200, done)
	if r := w.direct("admin", "GET "+settings, ""); !strings.Contains(r.body, `"storage_configuration":{"status":"IN_COUNTRY_STORAGE_ENABLED","data_localization_region":"JP"}`) {
		t.Errorf("%s", r.body)
	}
	if r := set(numLive, japan); r.status != 400 || !strings.Contains(r.body, "while the phone number is not registered") {
		t.Errorf("%d %s", r.status, r.body)
	}
	// Newer versions refuse the older way, at the registration; it ends with the registration.
	set(numPending, `{"status":"IN_COUNTRY_STORAGE_DISABLED"}`).want(t, 200, done)
	const register = `{"messaging_product":"whatsapp","pin":"123456","data_localization_region":"JP"}`
	if r := w.direct("admin", "POST /v23.0/"+numPending+"/register", register); r.status != 400 || !strings.Contains(r.body, "since v21.0") {
		t.Errorf("%d %s", r.status, r.body)
	}
	alive, err := graph.ParseRelease("v20.0", "2024-05-21", "2030-01-01")
	if err != nil {
		t.Fatal(err)
	}
	old := newWorld(t, func(o *api.Options) {
		o.Versions, err = graph.NewRegistry(false, append(graph.DefaultReleases(), alive)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	old.direct("admin", "POST /v20.0/"+numPending+"/register", strings.Replace(register, "JP", "DE", 1)).want(t, 400, graphError("(#100) This server keeps data in JP, not in DE.", `"code":100`))
	old.direct("admin", "POST /v20.0/"+numPending+"/register", register).want(t, 200, done)
	old.direct("admin", "POST /v20.0/"+numPending+"/register", register).want(t, 200, done)
	if r := old.direct("admin", "POST /v20.0/"+numPending+"/register", strings.Replace(register, "JP", "DE", 1)); r.status != 400 || !strings.Contains(r.body, "while the phone number is not registered") {
		t.Errorf("another region of a registered number: %d %s", r.status, r.body)
	}
	if n, _ := old.business.Number(wa.PhoneNumberID(numPending)); n.Region != "JP" {
		t.Errorf("kept in %q", n.Region)
	}
	old.direct("admin", "POST /v20.0/"+numPending+"/deregister", "").want(t, 200, done)
	if r := old.direct("admin", "POST /v20.0/"+numPending+"/register", strings.Replace(register, "123456", "654321", 1)); r.status != 400 || !strings.Contains(r.body, `"code":133005`) {
		t.Errorf("a wrong PIN: %d %s", r.status, r.body)
	}
	if n, _ := old.business.Number(wa.PhoneNumberID(numPending)); n.Region != "" {
		t.Errorf("a refused registration keeps data in %q", n.Region)
	}
	set(numPending, japan).want(t, 200, done)
	w.direct("admin", "POST /v23.0/"+numPending+"/register", `{"messaging_product":"whatsapp","pin":"123456"}`).want(t, 200, done)
	if n, _ := w.business.Number(wa.PhoneNumberID(numPending)); n.Region != "JP" {
		t.Errorf("kept in %q", n.Region)
	}
	w.direct("admin", "POST /v23.0/"+numPending+"/deregister", "").want(t, 200, done)
	if n, _ := w.business.Number(wa.PhoneNumberID(numPending)); n.Region != "" {
		t.Errorf("deregistered and kept in %q", n.Region)
	}
}
