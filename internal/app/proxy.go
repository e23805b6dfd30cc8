package app

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// forwarded names who really called, when the operator said that a proxy stands in front (--behind-proxy): every room takes
// Request.RemoteAddr for the peer, by which attempts of log-ins, of tokens and of registrations are limited, and that of the
// connection is the proxy's own, the same for everybody.
//
// It is the last address of X-Forwarded-For: the proxy put it there itself, about the connection that it has. What stands before it is
// whatever the caller sent. Loopback addresses at the end are stepped over: they are proxies on this machine, one behind the other. A
// request without the header, or with one that holds no address there, keeps the address of its connection.
func forwarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ip := lastHop(r.Header.Values("X-Forwarded-For")); ip.IsValid() {
			r.RemoteAddr = net.JoinHostPort(ip.String(), "0")
		}
		next.ServeHTTP(w, r)
	})
}

// lastHop reads the lines of an X-Forwarded-For from their end.
func lastHop(lines []string) (found netip.Addr) {
	for _, line := range slices.Backward(lines) {
		for rest, more := line, true; more; {
			var last string
			if at := strings.LastIndexByte(rest, ','); at >= 0 {
				rest, last = rest[:at], rest[at+1:]
			} else {
				last, more = rest, false
			}
			ip, ok := hop(strings.TrimSpace(last))
			if !ok {
				return found
			}
			found = ip
			if !ip.IsLoopback() {
				return found
			}
		}
	}
	return found
}

// hop is an address as proxies write it: alone, in brackets, or with a port.
func hop(s string) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		with, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		ip = with.Addr()
	}
	return ip.Unmap().WithZone(""), true
}
