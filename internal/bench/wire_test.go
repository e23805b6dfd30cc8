package bench

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// readRequest reads one request as a receiver does.
func readRequest(r io.Reader, most int) (method, target, body string, again bool, err error) {
	w := newWire(r)
	if err := w.head(); err != nil {
		return "", "", "", false, err
	}
	q, err := w.request()
	if err != nil {
		return "", "", "", false, err
	}
	method, target = string(q.method), string(q.target)
	err = w.content(most, false)
	return method, target, string(w.body), q.again, err
}

func TestRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in     string
		method, body string
		again        bool
	}{
		{"with a length", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", "POST", "hello", true},
		{"names in any case", "POST / HTTP/1.1\r\nHOST:h\r\ncOnTeNt-LeNgTh:\t2 \r\n\r\nhi", "POST", "hi", true},
		{"in chunks", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n", "POST", "abc0123456789", true},
		{"without a body", "GET /?q HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "", true},
		{"after a stray line end", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "", true},
		{"with bare line feeds", "POST / HTTP/1.1\nHost: h\nContent-Length: 1\n\nx", "POST", "x", true},
		{"that is the last", "POST / HTTP/1.1\r\nHost: h\r\nConnection: foo, Close\r\nContent-Length: 0\r\n\r\n", "POST", "", false},
		{"of 1.0", "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", "POST", "x", false},
		{"of 1.0 that goes on", "POST / HTTP/1.0\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx", "POST", "x", true},
		{"with the same length twice", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "POST", "x", true},
	} {
		for _, r := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in))} {
			method, _, body, again, err := readRequest(r, 100)
			if err != nil || method != c.method || body != c.body || again != c.again {
				t.Errorf("%s: %s %q again %v, %v", c.name, method, body, again, err)
			}
		}
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		want     error
	}{
		{"both length and chunks", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", errSyntax},
		{"two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", errSyntax},
		{"a negative length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", errSyntax},
		{"another encoding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", errSyntax},
		{"no host", "POST / HTTP/1.1\r\n\r\n", errSyntax},
		{"another version", "POST / HTTP/2.0\r\nHost: h\r\n\r\n", errSyntax},
		{"no request line", "POST\r\nHost: h\r\n\r\n", errSyntax},
		{"no name", "POST / HTTP/1.1\r\n: h\r\n\r\n", errSyntax},
		{"a space before the colon", "POST / HTTP/1.1\r\nHost : h\r\n\r\n", errSyntax},
		{"a folded line", "POST / HTTP/1.1\r\nHost: h\r\n x: y\r\n\r\n", errSyntax},
		{"a chunk size that is none", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", errSyntax},
		{"a chunk that is longer than it says", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n", errSyntax},
		{"too long a body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n", errLarge},
		{"too many chunks", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + strings.Repeat("x", 100) + "\r\n1\r\n", errLarge},
		{"a chunk beyond everything", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", errSyntax},
		{"too long a line", "GET / HTTP/1.1\r\nHost: " + strings.Repeat("h", bufferSize) + "\r\n\r\n", errLarge},
		{"too many lines", "GET / HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", maxFields) + "\r\n", errLarge},
		{"too long a header", "GET / HTTP/1.1\r\n" + strings.Repeat("A: "+strings.Repeat("b", 10_000)+"\r\n", 10) + "\r\n", errLarge},
		{"too many trailers", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("A: b\r\n", maxFields) + "\r\n", errLarge},
		{"an end in the header", "GET / HTTP/1.1\r\nHost: h\r\n", io.ErrUnexpectedEOF},
		{"an end in the body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nx", io.ErrUnexpectedEOF},
		{"an end in the chunks", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx", io.ErrUnexpectedEOF},
		{"an end before anything", "", io.EOF},
	} {
		if _, _, _, _, err := readRequest(strings.NewReader(c.in), 100); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestResponses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		status   int
		body     string
		again    bool
		want     error
	}{
		{"with a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", true, nil},
		{"without a phrase", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", 404, "", true, nil},
		{"in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "hi", true, nil},
		{"to the end", "HTTP/1.1 200 OK\r\n\r\nhello", 200, "hello", false, nil},
		{"that is the last", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", false, nil},
		{"of 1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", false, nil},
		{"that was announced", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, "", true, nil},
		{"of another protocol", "SSH-2.0\r\n\r\n", 0, "", false, errSyntax},
		{"without a status", "HTTP/1.1 ok\r\n\r\n", 0, "", false, errSyntax},
		{"that is too long", "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 101), 200, "", false, errLarge},
		{"that ends early", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", 200, "", false, io.ErrUnexpectedEOF},
	} {
		w := newWire(strings.NewReader(c.in))
		status, again, err := w.response(100)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if err == nil && (status != c.status || string(w.body) != c.body || again != c.again) {
			t.Errorf("%s: %d %q again %v", c.name, status, w.body, again)
		}
	}
}

// Whatever comes: no panic, no more memory than the bound; and what net/http takes as the same request is the same.
func FuzzRequest(f *testing.F) {
	f.Add([]byte("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX-Hub-Signature-256: sha256=00\r\n\r\nhello"))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
	f.Add([]byte("GET /?hub.mode=subscribe HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"))
	f.Add([]byte("\r\nPOST / HTTP/1.1\nHost: h\nExpect: 100-continue\nContent-Length: 0\n\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		const most = 1 << 16
		method, target, body, _, err := readRequest(bytes.NewReader(in), most)
		if len(body) > most {
			t.Fatalf("body of %d bytes", len(body))
		}
		if err != nil {
			return
		}
		theirs, e := http.ReadRequest(bufio.NewReader(bytes.NewReader(bytes.TrimPrefix(in, []byte("\r\n")))))
		if e != nil {
			return // it is stricter about characters
		}
		b, e := io.ReadAll(theirs.Body)
		if e != nil {
			return
		}
		if theirs.Method != method || theirs.RequestURI != target || string(b) != body {
			t.Fatalf("%s %q %q, net/http reads %s %q %q", method, target, body, theirs.Method, theirs.RequestURI, b)
		}
	})
}

func FuzzResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		const most = 1 << 16
		w := newWire(bytes.NewReader(in))
		if status, _, err := w.response(most); err == nil && (status < 200 || len(w.body) > most) {
			t.Fatalf("status %d, %d bytes", status, len(w.body))
		}
	})
}
