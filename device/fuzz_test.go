package device

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// seeds are the messages of every type.
func seeds(f *testing.F, name string) [][]byte {
	f.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		f.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(b), []byte("\n"))
}

// FuzzInbound gives the parser of decrypted plaintexts anything. It must not panic, and must agree with encoding/json.
func FuzzInbound(f *testing.F) {
	for _, seed := range []string{
		`{"v":1,"id":"wamid.A","ts":1767225600,"type":"text","text":{"body":"Hi \"you\" }{"},"context":{"id":"wamid.B"}}`,
		`{"v":1,"type":"preview","of":"wamid.A","preview":{"url":"https://x","title":"T"}}`,
		`{"v":2,"type":"text","text":{}}`, `{"type":"text"}`, `[]`, `{`, ``, `{"v":1,"type":"\u0074ext","text":[[],{}]}`,
		"{\"v\":1,\"type\":\"text\",\"text\":\"\xff\"}", ` { "v" : 1 , "type" : "order" , "order" : null } `,
	} {
		f.Add([]byte(seed))
	}
	f.Add([]byte{0x80})
	for _, seed := range seeds(f, "business.jsonl") {
		f.Add(append([]byte(`{"v":1,"ts":1767225600,`), seed[1:]...))
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		_ = parseInbound(bytes.Clone(plain))
		in := parseInbound(pad(bytes.Clone(plain)))
		if in.raw == nil {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(in.raw, &want); err != nil {
			t.Fatalf("kept %q: %v", in.raw, err)
		}
		got := map[string]string{}
		members(in.raw, func(key, value []byte) {
			if bytes.IndexByte(key, '\\') < 0 {
				got[string(key)] = string(value)
			}
		})
		for k, v := range want {
			if g, ok := got[k]; ok && g != string(v) {
				escaped, _ := json.Marshal(k)
				if !bytes.Contains(in.raw, escaped) {
					continue // written with escapes, where the same name may come twice
				}
				if bytes.Count(in.raw, []byte(`\`)) > 0 {
					continue
				}
				t.Fatalf("member %q: %s, not %s", k, g, v)
			}
		}
		m := Message{Type: in.typ, Raw: in.raw}
		_ = m.Text()
		_, _ = m.Card()
		_ = m.Media()
		for _, c := range m.Choices() {
			if content, err := c.Content(time.Unix(0, 0), Filling{}); err == nil && !json.Valid(content) {
				t.Fatalf("pressing %q sends %q", c.Title, content)
			}
		}
	})
}

// FuzzContent gives the builder of plaintexts anything: what it takes must come out of the parser.
func FuzzContent(f *testing.F) {
	f.Add([]byte(`{"type":"text","text":{"body":"x"},"context":{"id":"wamid.B"},"id":"wamid.no","v":7}`))
	for _, seed := range seeds(f, "user.jsonl") {
		f.Add(seed)
	}
	f.Add([]byte(`{"type":"reaction","reaction":{"message_id":"wamid.A","emoji":""}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		raw, typ, context, err := buildOutbound(content, 1767225600)
		if err != nil {
			return
		}
		if !json.Valid(raw) {
			t.Fatalf("built %q", raw)
		}
		in := parseInbound(pad(bytes.Clone(raw)))
		if in.ts != 1767225600 || in.id != "" || in.context != context {
			t.Fatalf("%q came back as %+v", raw, in)
		}
		if in.typ != TypeUnsupported && in.typ != typ && in.typ != "preview" {
			t.Fatalf("%q became %q", typ, in.typ)
		}
	})
}

// FuzzImport gives the reader of stored records anything in one of them.
func FuzzImport(f *testing.F) {
	for _, key := range []string{keyAccount, keyKeys, keyPosition, keyChat + "1", keySession + "1", keyMessage + "1", keyOutbox + "1"} {
		f.Add(key, []byte(`{}`))
	}
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		if d, err := Import(Options{}, []Record{{key, value}}); err == nil {
			t.Fatalf("a device of one record: %v", d.ID())
		}
	})
}
