package media

import (
	"encoding/base64"

	"github.com/go-json-experiment/json/jsontext"
)

// appendText appends s as a JSON string. Types and names are checked to be valid UTF-8 before they get here; what is not is
// replaced.
func appendText(b []byte, s string) []byte {
	out, err := jsontext.AppendQuote(b, s)
	if err != nil { // the text up to there is valid JSON all the same
		return out
	}
	return out
}

// appendBytes appends bytes as a JSON string in standard base64.
func appendBytes(b, v []byte) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, v)
	return append(b, '"')
}

// AppendName writes the member that names a document, with the comma behind it; nothing for an empty name.
func AppendName(b []byte, name string) []byte {
	if name == "" {
		return b
	}
	return append(appendText(append(b, `"filename":`...), name), ',')
}
