package frame

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
)

// AboutSize is the length of the item as JSON, rounded up, so that a Deliver can be kept below MaxFrame.
func (m *Item) AboutSize() int {
	n := 160 + len(m.ID) + len(m.From) + base64.StdEncoding.EncodedLen(len(m.Ct))
	if m.Ev != nil {
		n += 128 + len(m.Ev.Of)
		for _, id := range m.Ev.IDs {
			n += len(id) + 3
		}
	}
	return n
}

func (d *Deliver) append(b []byte) []byte {
	b = append(b, `{"t":"deliver","items":[`...)
	for i := range d.Items {
		if i > 0 {
			b = append(b, ',')
		}
		b = d.Items[i].append(b)
	}
	return append(b, ']', '}')
}

func (m *Item) append(b []byte) []byte {
	b = append(b, '{')
	if m.Seq != 0 {
		b = append(b, `"seq":`...)
		b = strconv.AppendUint(b, m.Seq, 10)
		b = append(b, ',')
	}
	if m.ID != "" {
		b = append(b, `"id":`...)
		b = appendString(b, m.ID)
		b = append(b, ',')
	}
	b = append(b, `"from":`...)
	b = appendString(b, m.From)
	b = append(b, `,"k":`...)
	b = appendString(b, string(m.K))
	if len(m.Ct) > 0 {
		b = append(b, `,"ct":`...)
		b = appendBytes(b, m.Ct)
	}
	if m.Ev != nil {
		b = append(b, `,"ev":`...)
		b = append(b, m.Ev.JSON()...)
	}
	b = append(b, `,"ts":`...)
	b = strconv.AppendInt(b, m.TS, 10)
	if m.Exp != 0 {
		b = append(b, `,"exp":`...)
		b = strconv.AppendInt(b, m.Exp, 10)
	}
	return append(b, '}')
}

func (s *Sent) append(b []byte) []byte {
	b = append(b, `{"t":"sent","r":`...)
	b = strconv.AppendUint(b, s.R, 10)
	b = append(b, `,"id":`...)
	b = appendString(b, s.ID)
	b = append(b, `,"wamid":`...)
	b = appendString(b, s.Wamid)
	b = append(b, `,"ts":`...)
	b = strconv.AppendInt(b, s.TS, 10)
	return append(b, '}')
}

func (a *Ack) append(b []byte) []byte {
	b = append(b, `{"t":"ack","seq":`...)
	b = strconv.AppendUint(b, a.Seq, 10)
	if len(a.Read) > 0 {
		b = append(b, `,"read":[`...)
		for i, id := range a.Read {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, id)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func (s *Send) append(b []byte) []byte {
	b = append(b, `{"t":"send","r":`...)
	b = strconv.AppendUint(b, s.R, 10)
	b = append(b, `,"id":`...)
	b = appendString(b, s.ID)
	b = append(b, `,"to":`...)
	b = appendString(b, s.To)
	b = append(b, `,"k":`...)
	b = appendString(b, string(s.K))
	b = append(b, `,"ct":`...)
	b = appendBytes(b, s.Ct)
	if s.TS != 0 {
		b = append(b, `,"ts":`...)
		b = strconv.AppendInt(b, s.TS, 10)
	}
	return append(b, '}')
}

// appendString writes s as a JSON string; only unusual characters take the slow way.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			q, err := json.Marshal(s)
			if err != nil {
				panic("frame: a string does not marshal: " + err.Error())
			}
			return append(b, q...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func appendBytes(b, data []byte) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, data)
	return append(b, '"')
}
