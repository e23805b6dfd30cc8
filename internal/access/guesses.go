package access

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"

	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	// maxGuesses is how many tokens that are none an address may try in a minute. Source: spec/security.md S22.
	maxGuesses = 100
	// maxGuessers bounds the addresses of a minute that are remembered; more share one budget.
	maxGuessers = 1 << 16
)

// guesses counts refused tokens per address and minute.
type guesses struct {
	mu     sync.Mutex
	minute int64
	counts map[string]int
}

// AuthenticateFrom is [Service.Authenticate] for a caller at addr, "host:port". An address that tries many tokens that are
// none is told [wa.ErrTooManyTokens] until the minute is over; tokens that are good work all the same, since the clients of
// a proxy share its address. Source: spec/security.md S22.
func (s *Service) AuthenticateFrom(ctx context.Context, addr, token string) (*Caller, error) {
	c, err := s.Authenticate(ctx, token)
	if row, ok := errors.AsType[*wa.Error](err); ok && row.Code == wa.ErrTokenInvalid.Code && s.guesses.over(neighbours(addr), s.clock.Now().Unix()/60) {
		return nil, wa.ErrTooManyTokens
	}
	return c, err
}

// over counts one more and reports whether the budget of addr was used up before.
func (g *guesses) over(addr string, minute int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.minute != minute || g.counts == nil {
		g.minute, g.counts = minute, map[string]int{}
	}
	if _, known := g.counts[addr]; !known && len(g.counts) >= maxGuessers {
		addr = "" // somebody with many addresses
	}
	if g.counts[addr] >= maxGuesses {
		return true
	}
	g.counts[addr]++
	return false
}

// neighbours is what shares a budget: an IPv4 address, or an IPv6 /64, which one customer has.
func neighbours(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if p, bad := netip.ParseAddrPort(addr); bad == nil {
		ip, err = p.Addr(), nil
	}
	if err != nil {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return addr
		}
		return host
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if net64, err := ip.Prefix(64); err == nil {
			return net64.String()
		}
	}
	return ip.String()
}
