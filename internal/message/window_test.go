package message_test

import (
	"testing"

	"github.com/hikyaku/hikyaku/internal/message"
)

// The rows of spec/pricing.md section 1, "Decision table at delivery".
func TestPrice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		s    message.Situation
		want message.Price
	}{
		{"free entry point: everything is free", message.Situation{FreeEntry: true, Template: true, Category: "marketing"}, message.Price{"free_entry_point", "referral_conversion", false}},
		{"free entry point, free-form", message.Situation{FreeEntry: true, Window: true}, message.Price{"free_entry_point", "referral_conversion", false}},
		{"free-form in the window", message.Situation{Window: true}, message.Price{"free_customer_service", "service", false}},
		{"free-form outside: not deliverable", message.Situation{}, message.Price{}},
		{"utility in the window", message.Situation{Template: true, Category: "utility", Window: true}, message.Price{"free_customer_service", "utility", false}},
		{"utility outside", message.Situation{Template: true, Category: "utility"}, message.Price{"regular", "utility", true}},
		{"marketing in the window", message.Situation{Template: true, Category: "marketing", Window: true}, message.Price{"regular", "marketing", true}},
		{"marketing outside", message.Situation{Template: true, Category: "marketing"}, message.Price{"regular", "marketing", true}},
		{"marketing by the marketing API", message.Situation{Template: true, Category: "marketing", MarketingAPI: true}, message.Price{"regular", "marketing_lite", true}},
		{"authentication in the window", message.Situation{Template: true, Category: "authentication", Window: true}, message.Price{"regular", "authentication", true}},
		{"authentication abroad", message.Situation{Template: true, Category: "authentication", International: true}, message.Price{"regular", "authentication-international", true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.s.Price(); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	const hour = 3600_000
	const wrote = 1000 * hour
	for _, c := range []struct {
		name string
		last int64
		now  int64
		open bool
		end  int64
	}{
		{"never wrote", 0, wrote, false, wrote + 24*hour},
		{"just wrote", wrote, wrote, true, wrote + 24*hour},
		{"a millisecond before its end", wrote, wrote + 24*hour - 1, true, wrote + 24*hour},
		{"24 hours later", wrote, wrote + 24*hour, false, wrote + 48*hour},
	} {
		if got := message.WindowOpen(c.last, c.now); got != c.open {
			t.Errorf("%s: open %v", c.name, got)
		}
		if got := message.ConversationEnd(c.last, c.now); got != c.end {
			t.Errorf("%s: ends %d, want %d", c.name, got, c.end)
		}
	}
}
