package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	userAgent = "facebookexternalua" // spec/webhooks.md section 3

	attemptTimeout = 10 * time.Second // connect and answer; spec/webhooks.md section 6
	connectTimeout = 5 * time.Second  // spec/security.md S27
)

// LoopbackPrefixes are this machine's own addresses, for [TransportOptions.Allow].
func LoopbackPrefixes() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// PrivatePrefixes are loopback and the private networks, for [TransportOptions.Allow]. Link-local addresses, where clouds
// keep their metadata, are not among them.
func PrivatePrefixes() []netip.Prefix {
	return append(LoopbackPrefixes(), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7"))
}

// URLRules say which callback URLs are accepted.
type URLRules struct {
	AllowInsecure bool // http on every host; else only on loopback hosts
}

// Parse checks a callback URL: absolute, https (or http where allowed), with a host, without user information and
// fragment. Errors: [wa.ErrCallbackURI].
func (r URLRules) Parse(text string) (*url.URL, error) {
	refuse := func(why string) (*url.URL, error) { return nil, wa.ErrCallbackURI.Because(errors.New(why)) }
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return refuse("malformed URL")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return refuse("scheme")
	case u.Scheme == "http" && !r.AllowInsecure && !loopbackHost(u.Hostname()):
		return refuse("http")
	case u.Hostname() == "":
		return refuse("no host")
	case u.User != nil:
		return refuse("user information")
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return refuse("fragment")
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return refuse("port")
		}
	}
	return u, nil
}

func loopbackHost(host string) bool {
	if host = strings.ToLower(strings.TrimSuffix(host, ".")); host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// TransportOptions configure the connections to receivers. The zero value reaches public addresses on ports 80 and 443.
type TransportOptions struct {
	Allow   []netip.Prefix // reached on any port although not public; see [LoopbackPrefixes], [PrivatePrefixes]
	Ports   []uint16       // besides 80 and 443
	RootCAs *x509.CertPool // nil means the system's; add private authorities to a copy of those
	// PerHost bounds the idle connections kept per host; 0 means 256.
	PerHost int

	lookup func(ctx context.Context, host string) ([]netip.Addr, error) // tests; nil means the system's resolver
}

// ErrAddress is returned for a receiver at an address that must not be reached.
var ErrAddress = errors.New("address not allowed")

// NewTransport makes the transport for deliveries and verifications: it resolves a name once, checks each address and
// connects to a checked one (spec/security.md S24, S25), verifies certificates, knows no proxy and speaks HTTP/1.1.
// RoundTrip never follows redirects.
func NewTransport(o TransportOptions) *http.Transport {
	if o.PerHost == 0 {
		o.PerHost = 256
	}
	g := newGuard(o)
	return &http.Transport{
		DialContext:            g.dial,
		TLSClientConfig:        &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    connectTimeout,
		MaxIdleConnsPerHost:    o.PerHost,
		IdleConnTimeout:        time.Minute,
		DisableCompression:     true, // the header is set by hand, answers are not read
		ForceAttemptHTTP2:      false,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

type guard struct {
	o      TransportOptions
	public *ssrf.Guardian
	dialer *net.Dialer
}

func newGuard(o TransportOptions) *guard {
	if o.lookup == nil {
		o.lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	g := &guard{o: o, public: ssrf.New(ssrf.WithPorts(append([]uint16{80, 443}, o.Ports...)...))}
	g.dialer = &net.Dialer{Timeout: connectTimeout, Control: g.control}
	return g
}

func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %q: %w", port, err)
	}
	addrs, err := g.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("%w: no address", ErrAddress)
	for _, a := range addrs {
		to := netip.AddrPortFrom(a.Unmap(), uint16(n))
		if err = g.check(to); err != nil {
			continue
		}
		var c net.Conn
		if c, err = g.dialer.DialContext(ctx, network, to.String()); err == nil {
			return c, nil
		}
	}
	return nil, err
}

func (g *guard) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return g.o.lookup(ctx, host)
}

// control is the last word: the kernel connects to exactly this address.
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	return g.check(to)
}

func (g *guard) check(to netip.AddrPort) error {
	addr := to.Addr().Unmap()
	for _, p := range g.o.Allow {
		if p.Contains(addr) {
			return nil
		}
	}
	network := "tcp4"
	if addr.Is6() {
		network = "tcp6"
	}
	if err := g.public.Safe(network, netip.AddrPortFrom(addr, to.Port()).String(), nil); err != nil {
		return fmt.Errorf("%w: %w", ErrAddress, err)
	}
	return nil
}
