package message

import (
	"hash/fnv"

	"github.com/go-json-experiment/json/jsontext"
)

// ButtonMark stands for the words on a button, where clicks are counted: the words of the template tell which button it was.
// It is never 0.
func ButtonMark(words string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(words)) // never fails
	return max(1, h.Sum32())
}

// pressed is the mark of the quick reply button that the answer shows; 0 when it shows none.
func (c *content) pressed() uint32 {
	var values [maxMembers][]byte
	if c.object == nil || !inboundShapes[TypeButton].read(c.object, &values) || len(values[1]) == 0 || values[1][0] != '"' {
		return 0
	}
	words, err := jsontext.AppendUnquote(nil, values[1])
	if err != nil {
		return 0
	}
	return ButtonMark(string(words))
}
