package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Bounds of what is read from a connection.
const (
	maxHeader  = 64 << 10
	maxFields  = 100
	bufferSize = 16 << 10 // also the longest header line
	believed   = 64 << 10 // how far a body's length is believed before its bytes are there
)

var (
	errSyntax = errors.New("not HTTP/1.1")
	errLarge  = errors.New("message too large")
)

// wire reads HTTP/1.1 messages from a connection. Its slices are valid until the next read.
type wire struct {
	r     *bufio.Reader
	first []byte // request or status line
	body  []byte

	length    int // of the body; −1 when the header does not tell
	chunked   bool
	closes    bool // the sender says that it closes the connection
	keeps     bool // the sender says that it keeps it
	expects   bool // Expect: 100-continue
	host      bool
	signature []byte // X-Hub-Signature-256
}

func newWire(r io.Reader) *wire { return &wire{r: bufio.NewReaderSize(r, bufferSize)} }

// line reads a line without its end.
func (w *wire) line() ([]byte, error) {
	b, err := w.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, errLarge
	}
	if err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b[:len(b)-1], []byte{'\r'}), nil
}

// head reads the first line and the header. An io.EOF means that the connection ended between two messages.
func (w *wire) head() error {
	w.length, w.chunked, w.closes, w.keeps, w.expects, w.host = -1, false, false, false, false, false
	w.signature, w.body = w.signature[:0], w.body[:0]
	b, err := w.line()
	if err == nil && len(b) == 0 { // a stray line end after the last body
		b, err = w.line()
	}
	if err != nil {
		return err
	}
	w.first = append(w.first[:0], b...)
	size := len(b)
	for range maxFields {
		if b, err = w.line(); err != nil {
			return cut(err)
		}
		if len(b) == 0 {
			return nil
		}
		if size += len(b); size > maxHeader {
			return errLarge
		}
		if err := w.field(b); err != nil {
			return err
		}
	}
	return errLarge
}

// cut says that a message ended in the middle.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (w *wire) field(b []byte) error {
	key, value, ok := bytes.Cut(b, []byte{':'})
	if !ok || len(key) == 0 || bytes.ContainsAny(key, " \t") {
		return fmt.Errorf("%w: header line", errSyntax)
	}
	value = bytes.Trim(value, " \t")
	switch {
	case is(key, "content-length"):
		n, err := digits(value, 10)
		if err != nil || (w.length >= 0 && w.length != n) {
			return fmt.Errorf("%w: content length", errSyntax)
		}
		w.length = n
	case is(key, "transfer-encoding"):
		if w.chunked || !is(value, "chunked") {
			return fmt.Errorf("%w: transfer encoding", errSyntax)
		}
		w.chunked = true
	case is(key, "connection"):
		for v := range bytes.SplitSeq(value, []byte{','}) {
			v = bytes.Trim(v, " \t")
			w.closes = w.closes || is(v, "close")
			w.keeps = w.keeps || is(v, "keep-alive")
		}
	case is(key, "expect"):
		w.expects = is(value, "100-continue")
	case is(key, "host"):
		w.host = true
	case is(key, "x-hub-signature-256"):
		w.signature = append(w.signature[:0], value...)
	}
	return nil
}

// is compares ASCII text with a lower-case word.
func is(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// digits reads a number that fits easily into an int.
func digits(b []byte, base int) (n int, err error) {
	if len(b) == 0 || len(b) > 12 {
		return 0, errSyntax
	}
	for _, c := range b {
		d := 0
		switch {
		case '0' <= c && c <= '9':
			d = int(c - '0')
		case base == 16 && 'a' <= c|0x20 && c|0x20 <= 'f':
			d = int(c|0x20-'a') + 10
		default:
			return 0, errSyntax
		}
		n = n*base + d
	}
	return n, nil
}

// content reads the body into w.body. Without a length there is none, or with toEnd it lasts until the connection ends.
func (w *wire) content(most int, toEnd bool) error {
	switch {
	case w.chunked && w.length >= 0:
		return fmt.Errorf("%w: both a length and chunks", errSyntax) // two readers could see two messages
	case w.chunked:
		return w.chunks(most)
	case w.length > most:
		return errLarge
	case w.length >= 0:
		return w.take(w.length)
	case !toEnd:
		return nil
	}
	for {
		w.body = slices.Grow(w.body, 512)
		n, err := w.r.Read(w.body[len(w.body):cap(w.body)])
		if w.body = w.body[:len(w.body)+n]; len(w.body) > most {
			return errLarge
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// take appends n bytes to the body.
func (w *wire) take(n int) error {
	for n > 0 {
		k := min(n, believed)
		have := len(w.body)
		w.body = slices.Grow(w.body, k)[:have+k]
		if _, err := io.ReadFull(w.r, w.body[have:]); err != nil {
			return cut(err)
		}
		n -= k
	}
	return nil
}

func (w *wire) chunks(most int) error {
	for {
		b, err := w.line()
		if err != nil {
			return cut(err)
		}
		size, _, _ := bytes.Cut(b, []byte{';'})
		n, err := digits(bytes.TrimRight(size, " \t"), 16)
		if err != nil {
			return fmt.Errorf("%w: chunk size", errSyntax)
		}
		if n == 0 {
			return w.trailer()
		}
		if len(w.body)+n > most {
			return errLarge
		}
		if err := w.take(n); err != nil {
			return err
		}
		if b, err = w.line(); err != nil {
			return cut(err)
		}
		if len(b) != 0 {
			return fmt.Errorf("%w: chunk end", errSyntax)
		}
	}
}

func (w *wire) trailer() error {
	for range maxFields {
		b, err := w.line()
		if err != nil {
			return cut(err)
		}
		if len(b) == 0 {
			return nil
		}
	}
	return errLarge
}

// request is what a receiver needs of a request. Its slices are valid until the next read.
type request struct {
	method, target []byte
	again          bool // the connection can be used for another one
}

// request takes the first line apart. It is called between head and content.
func (w *wire) request() (q request, err error) {
	method, rest, _ := bytes.Cut(w.first, []byte{' '})
	target, proto, ok := bytes.Cut(rest, []byte{' '})
	switch {
	case !ok || len(method) == 0 || len(target) == 0:
		return q, fmt.Errorf("%w: request line", errSyntax)
	case string(proto) == "HTTP/1.1":
		if !w.host {
			return q, fmt.Errorf("%w: no host", errSyntax)
		}
		q.again = !w.closes
	case string(proto) == "HTTP/1.0":
		if w.chunked {
			return q, fmt.Errorf("%w: chunks in HTTP/1.0", errSyntax)
		}
		q.again = w.keeps && !w.closes
	default:
		return q, fmt.Errorf("%w: version", errSyntax)
	}
	q.method, q.target = method, target
	return q, nil
}

// response reads a response to a POST: status and, in w.body, its content. again tells whether the connection can be used
// for another request.
func (w *wire) response(most int) (status int, again bool, err error) {
	for {
		if err := w.head(); err != nil {
			return 0, false, err
		}
		proto, rest, _ := bytes.Cut(w.first, []byte{' '})
		if !bytes.HasPrefix(proto, []byte("HTTP/1.")) || len(proto) != len("HTTP/1.1") || len(rest) < 3 {
			return 0, false, fmt.Errorf("%w: status line", errSyntax)
		}
		if status, err = digits(rest[:3], 10); err != nil || status < 100 {
			return 0, false, fmt.Errorf("%w: status", errSyntax)
		}
		again = !w.closes && (proto[7] == '1' || w.keeps)
		if status >= 200 {
			break // the others announce another response
		}
	}
	if status == 204 || status == 304 {
		return status, again, nil
	}
	again = again && (w.chunked || w.length >= 0)
	return status, again, w.content(most, true)
}

// isSyntax tells what a peer sent wrong from a connection that ended.
func isSyntax(err error) bool { return errors.Is(err, errSyntax) || errors.Is(err, errLarge) }
