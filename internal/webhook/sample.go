package webhook

import (
	"embed"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// samples holds values of changes, one per file: <field>.json is what a test of the field sends, <field>.<name>.json shows
// another of its events. Fields whose payload is not documented have none (spec/webhooks.md sections 35 and 47).
//
//go:embed samples/*.json
var samples embed.FS

// The identities of the samples.
const (
	sampleWABA   wa.WABAID        = "0" // as the dashboard's tests have it; spec/webhooks.md section 9
	sampleNumber wa.PhoneNumberID = "498765432109876"
	sampleDigits                  = "15550100123"
)

// Errors of tests.
var (
	ErrNoField  = errors.New("no such field")
	ErrNoSample = errors.New("the field has no documented payload")
)

// SampleNames returns the names of a field's samples, the one that tests send first; nil when it has none.
func SampleNames(field string) (names []string) {
	entries, err := samples.ReadDir("samples")
	if err != nil {
		return nil
	}
	for _, e := range entries { // sorted: "field.json" comes after "field.event.json"
		name := strings.TrimSuffix(e.Name(), ".json")
		if of, _, _ := strings.Cut(name, "."); of == field && name != field {
			names = append(names, name)
		}
	}
	if _, err := samples.Open("samples/" + field + ".json"); err == nil {
		names = append([]string{field}, names...)
	}
	return names
}

type sampleNumbers struct{}

func (sampleNumbers) Digits(wa.PhoneNumberID) (string, bool) { return sampleDigits, true }

// AppendSample appends the POST of a sample, with the given id and time (Unix milliseconds) of its entry. Errors: ErrNoField,
// ErrNoSample.
func AppendSample(b []byte, name string, entry wa.WABAID, at int64) ([]byte, error) {
	field, _, _ := strings.Cut(name, ".")
	if !Known(field) {
		return b, fmt.Errorf("%w: %s", ErrNoField, field)
	}
	text, err := samples.ReadFile(path.Join("samples", path.Base(name)+".json"))
	if err != nil {
		return b, fmt.Errorf("%w: %s", ErrNoSample, name)
	}
	value := jsontext.Value(text)
	if err := value.Compact(); err != nil {
		return b, fmt.Errorf("sample %s: %w", name, err)
	}
	r := &record.Notice{WABA: entry, Number: sampleNumber, Field: field, At: at}
	b, _ = appendNoticeOpen(append(b, payloadOpen...), r)
	b = (&builder{numbers: sampleNumbers{}}).notice(b, r, value)
	return append(b, entryClose+payloadClose...), nil
}

// Test posts the sample of a field to the app's callback, signed, once, whether or not the app subscribed to the field: what
// the dashboard's test button does. Errors: ErrNoField, ErrNoSample, ErrNoSubscription.
func (d *Dispatcher) Test(app wa.AppID, field string) (Attempt, error) {
	body, err := AppendSample(nil, field, sampleWABA, d.o.Clock.Now().UnixMilli())
	if err != nil {
		return Attempt{}, err
	}
	return d.Send(app, body)
}
