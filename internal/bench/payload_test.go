package bench

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func collect(payload []byte) (got []string, err error) {
	err = updates(payload,
		func(id, status []byte) { got = append(got, string(status)+" "+string(id)) },
		func(id []byte) { got = append(got, "inbound "+string(id)) })
	return got, err
}

func TestUpdates(t *testing.T) {
	t.Parallel()
	s := sample{WABAID: "1", NumberID: "2", Number: "3"}
	id := messageID("16505551234", 0xfbfbfbfbfb)
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"a status", string(s.status(id, "16505551234", "sent", start)), []string{"sent " + id}},
		{"a message", string(s.message(id, "16505551234", start)), []string{"inbound " + id}},
		{
			"many in one", `{"object":"x","entry":[{"id":"1","changes":[{"value":{"statuses":[{"id":"a","status":"sent"},{"status":"read","id":"b"}]},"field":"messages"},
				{"field":"messages","value":{"messages":[{"id":"c","context":{"id":"no"},"type":"text"}],"contacts":[{"id":"no"}]}}]},{"changes":[{"value":{"statuses":[]}}]}]}`,
			[]string{"sent a", "read b", "inbound c"},
		},
		{"escapes", `{"entry":[{"changes":[{"value":{"\u0073tatuses":[{"id":"w\/x\"y\\z","status":"s\u0065nt"}]}}]}]}`, []string{`sent w/x"y\z`}},
		{"white space", " {\n\t\"entry\" : [ { \"changes\" : [ { \"value\" : { \"messages\" : [ { \"id\" : \"a\" , \"n\" : 1.5e3 } ] } } ] } ] } \r\n", []string{"inbound a"}},
		{"other fields", `{"entry":[{"time":1,"changes":[{"field":"account_update","value":{"event":"x","list":[1,{"a":[]}],"t":true,"n":null}}]}]}`, nil},
		{"other shapes", `{"entry":{"changes":[]},"x":[{"changes":1}]}`, nil},
		{"no object", `[1]`, nil},
	} {
		got, err := collect([]byte(c.in))
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
	for _, bad := range []string{"", "{", `{"entry"}`, `{"entry":[}`, `{"entry":[{"changes":[{"value":{"statuses":[{"id":"x]}`, `{} {}`, `{"a":"\`, `{"\x":1}`, `}`} {
		if got, err := collect([]byte(bad)); err == nil {
			t.Errorf("%q is taken as %q", bad, got)
		}
	}
}

func TestSentID(t *testing.T) {
	t.Parallel()
	id, err := sentID([]byte(`{"messaging_product":"whatsapp","contacts":[{"input":"+1 650","wa_id":"1650"}],"messages":[{"id":"wamid.a\/b=","message_status":"accepted"}]}`))
	if err != nil || string(id) != "wamid.a/b=" {
		t.Errorf("%q, %v", id, err)
	}
	for _, bad := range []string{`{}`, `{"messages":[]}`, `{"messages":[{}]}`, `<html>`, ``} {
		if id, err := sentID([]byte(bad)); err == nil {
			t.Errorf("%q has id %q", bad, id)
		}
	}
}

// The samples are what the platform would send: JSON with the members of the contract.
func TestSamples(t *testing.T) {
	t.Parallel()
	s := sample{WABAID: "102290129340398", NumberID: "106540352242922", Number: "15550783881"}
	id := messageID("16505551234", 7)
	if !strings.HasPrefix(id, "wamid.") || id == messageID("16505551234", 8) {
		t.Errorf("id %s", id)
	}
	for _, b := range [][]byte{
		s.status(id, "16505551234", "delivered", start), s.status(id, "16505551234", "read", start), s.message(id, "16505551234", start),
	} {
		var v struct {
			Object string
			Entry  []struct {
				ID      string
				Changes []struct {
					Field string
					Value struct {
						Metadata map[string]string
						Contacts []struct {
							WaID string `json:"wa_id"`
						}
						Statuses, Messages []struct{ ID, Status, Timestamp string }
					}
				}
			}
		}
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		value := v.Entry[0].Changes[0].Value
		all := append(value.Statuses, value.Messages...)
		if v.Object != "whatsapp_business_account" || value.Metadata["phone_number_id"] != s.NumberID || value.Contacts[0].WaID != "16505551234" ||
			len(all) != 1 || all[0].ID != id || all[0].Timestamp != "1775210400" {
			t.Errorf("%s", b)
		}
	}
}

func TestStatusesAndAnswersComeInProportion(t *testing.T) {
	t.Parallel()
	d := &delivery{o: &WebhookOptions{Reply: 0.3}, sample: sample{"1", "2", "3"}}
	seen := map[string]int{}
	per := map[string]int{}
	for i := range int64(3300) {
		got, err := collect(d.payload(i, start.Add(time.Duration(i))))
		if err != nil || len(got) != 1 {
			t.Fatalf("event %d: %q, %v", i, got, err)
		}
		kind, id, _ := strings.Cut(got[0], " ")
		per[kind]++
		if seen[got[0]]++; seen[got[0]] > 1 {
			t.Fatalf("%s %s came twice", kind, id)
		}
	}
	if per["sent"] != 1000 || per["delivered"] != 1000 || per["read"] != 1000 || per["inbound"] != 300 {
		t.Errorf("%v", per)
	}
}

// JSON is never refused, and nothing panics.
func FuzzUpdates(f *testing.F) {
	s := sample{WABAID: "1", NumberID: "2", Number: "3"}
	f.Add(s.status("wamid.a/b", "16505551234", "sent", start))
	f.Add(s.message("wamid.a/b", "16505551234", start))
	f.Add([]byte(`{"entry":[{"changes":[{"value":{"statuses":[{"id":"\ud83d\udc4d\/","status":1,"errors":[{"code":1}]}, 7, [[]]]}}]}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		_, err := collect(in)
		_, _ = sentID(in)
		if err != nil && json.Valid(in) {
			t.Fatalf("%q: %v", in, err)
		}
	})
}
