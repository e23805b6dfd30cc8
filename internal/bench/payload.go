package bench

import (
	"bytes"
	"encoding/json"
	"errors"
)

var errPayload = errors.New("payload is not the JSON of a webhook")

// cursor walks through JSON without building anything. It checks the structure only as far as it needs it.
type cursor struct {
	b []byte
	i int
}

// peek skips white space and returns the next byte, 0 at the end.
func (c *cursor) peek() byte {
	for ; c.i < len(c.b); c.i++ {
		switch c.b[c.i] {
		case ' ', '\t', '\r', '\n':
		default:
			return c.b[c.i]
		}
	}
	return 0
}

// eat takes the next byte if it is want.
func (c *cursor) eat(want byte) bool {
	if c.peek() != want {
		return false
	}
	c.i++
	return true
}

// text reads a string. Only one that holds an escape is copied.
func (c *cursor) text() ([]byte, error) {
	if !c.eat('"') {
		return nil, errPayload
	}
	start, escaped := c.i, false
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case '"':
			s := c.b[start:c.i]
			c.i++
			if escaped {
				return unescape(s)
			}
			return s, nil
		case '\\':
			escaped = true
			c.i++
		}
		c.i++
	}
	return nil, errPayload
}

// unescape decodes the inside of a string. The platform escapes slashes, which message ids are full of.
func unescape(s []byte) ([]byte, error) {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		if i++; i < len(s) && (s[i] == '/' || s[i] == '"' || s[i] == '\\') {
			out = append(out, s[i])
			continue
		}
		var full string
		if err := json.Unmarshal(append(append([]byte{'"'}, s...), '"'), &full); err != nil {
			return nil, errPayload
		}
		return []byte(full), nil
	}
	return out, nil
}

// skip passes over a value of any kind.
func (c *cursor) skip() error {
	depth := 0
	for {
		switch c.peek() {
		case '{', '[':
			depth++
			c.i++
		case '}', ']':
			depth--
			c.i++
		case '"':
			if err := c.pass(); err != nil {
				return err
			}
		case ',', ':':
			if depth == 0 {
				return errPayload
			}
			c.i++
			continue
		case 0:
			return errPayload
		default:
			n := bytes.IndexAny(c.b[c.i:], " \t\r\n,:{}[]\"")
			if n == 0 {
				return errPayload
			}
			if n < 0 {
				n = len(c.b) - c.i
			}
			c.i += n
		}
		if depth < 0 {
			return errPayload
		}
		if depth == 0 {
			return nil
		}
	}
}

// pass skips a string.
func (c *cursor) pass() error {
	for c.i++; c.i < len(c.b); c.i++ {
		switch c.b[c.i] {
		case '"':
			c.i++
			return nil
		case '\\':
			c.i++
		}
	}
	return errPayload
}

// object calls member for each member, which must take the value. A value that is no object is passed over.
func (c *cursor) object(member func(key []byte) error) error {
	if c.peek() != '{' {
		return c.skip()
	}
	c.i++
	if c.eat('}') {
		return nil
	}
	for {
		key, err := c.text()
		if err != nil {
			return err
		}
		if !c.eat(':') {
			return errPayload
		}
		if err := member(key); err != nil {
			return err
		}
		if c.eat('}') {
			return nil
		}
		if !c.eat(',') {
			return errPayload
		}
	}
}

// array calls element for each element, which must take it. A value that is no array is passed over.
func (c *cursor) array(element func() error) error {
	if c.peek() != '[' {
		return c.skip()
	}
	c.i++
	if c.eat(']') {
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if c.eat(']') {
			return nil
		}
		if !c.eat(',') {
			return errPayload
		}
	}
}

// updates calls status for every statuses[] and inbound for every messages[] of a webhook's payload. The slices are valid
// during the call.
func updates(payload []byte, status func(id, status []byte), inbound func(id []byte)) error {
	c := &cursor{b: payload}
	value := func(key []byte) error {
		switch string(key) {
		case "statuses":
			return c.array(func() error {
				id, what, err := c.pair("id", "status")
				if err == nil && len(id) > 0 {
					status(id, what)
				}
				return err
			})
		case "messages":
			return c.array(func() error {
				id, _, err := c.pair("id", "")
				if err == nil && len(id) > 0 {
					inbound(id)
				}
				return err
			})
		}
		return c.skip()
	}
	change := func(key []byte) error {
		if string(key) == "value" {
			return c.object(value)
		}
		return c.skip()
	}
	entry := func(key []byte) error {
		if string(key) == "changes" {
			return c.array(func() error { return c.object(change) })
		}
		return c.skip()
	}
	err := c.object(func(key []byte) error {
		if string(key) == "entry" {
			return c.array(func() error { return c.object(entry) })
		}
		return c.skip()
	})
	if err == nil && c.peek() != 0 {
		return errPayload
	}
	return err
}

// pair reads an object and returns two of its members that are strings.
func (c *cursor) pair(one, two string) (a, b []byte, err error) {
	err = c.object(func(key []byte) error {
		if c.peek() != '"' {
			return c.skip()
		}
		v, err := c.text()
		switch string(key) {
		case one:
			a = v
		case two:
			b = v
		}
		return err
	})
	return a, b, err
}

// sentID reads messages[0].id from the answer to a send.
func sentID(answer []byte) ([]byte, error) {
	c := &cursor{b: answer}
	var id []byte
	err := c.object(func(key []byte) error {
		if string(key) != "messages" {
			return c.skip()
		}
		return c.array(func() error {
			one, _, err := c.pair("id", "")
			if id == nil {
				id = one
			}
			return err
		})
	})
	if err == nil && len(id) == 0 {
		err = errors.New("the answer holds no message id")
	}
	return id, err
}
