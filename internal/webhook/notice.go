package webhook

import (
	"bytes"
	"strconv"

	"github.com/hikyaku/hikyaku/internal/journal/record"
)

// noticed is the value of a notice: clear in records from memory, sealed in those read back from disk. It is an empty object
// when its key is gone.
func (d *Dispatcher) noticed(r *record.Notice) []byte {
	if r.Value != nil || len(r.SealedValue) == 0 {
		return r.Value
	}
	b, err := d.o.Safe.Open(string(r.AD()), r.SealedValue)
	if err != nil {
		d.o.Log.Error("value of a notice cannot be opened", "field", r.Field, "waba_id", string(r.WABA), "err", err)
		return nil
	}
	return b
}

// appendNoticeOpen appends the start of a notice's entry; alone says that no other change may share it.
func appendNoticeOpen(b []byte, r *record.Notice) (_ []byte, alone bool) {
	t := fields[r.Field]
	if r.Entry == "" && t&timed == 0 {
		return appendEntryOpen(b, r.WABA), false
	}
	b = append(b, `{"id":`...)
	if r.Entry != "" {
		b = appendString(b, r.Entry)
	} else {
		b = appendString(b, r.WABA)
	}
	if t&timed != 0 {
		b = append(b, `,"time":`...)
		b = strconv.AppendInt(b, r.At/1000, 10)
	}
	return append(b, `,"changes":[`...), true
}

// notice appends the change of a notice. value is a JSON object; fields with a header get it in front of its members.
func (p *builder) notice(b []byte, r *record.Notice, value []byte) []byte {
	value = bytes.TrimSpace(value)
	if len(value) < len(`{}`) {
		value = []byte(`{}`)
	}
	if fields[r.Field]&headed != 0 && r.Number != "" {
		b = p.header(b, r.Number)
		if value = value[1:]; value[0] != '}' {
			b = append(b, ',')
		}
	} else {
		b = append(b, `{"value":`...)
	}
	b = appendASCII(b, value)
	b = append(b, `,"field":`...)
	b = appendString(b, r.Field)
	return append(b, '}')
}
