package pricing

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Other is the market of calling codes that no line of the map names.
const Other = "Other"

//go:embed markets.csv
var marketFile string

// markets maps digits to markets; the longest prefix wins.
var markets = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(marketFile) {
		line = strings.TrimSpace(line)
		market, codes, ok := strings.Cut(line, ",")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for code := range strings.FieldsSeq(codes) {
			m[code] = market
		}
	}
	return m
})

const longestPrefix = 4

// Market is where a recipient's number belongs to. Source: spec/pricing.md section 3.
func Market(to wa.WaID) string {
	m := markets()
	for n := min(longestPrefix, len(to)); n > 0; n-- {
		if market, ok := m[string(to[:n])]; ok {
			return market
		}
	}
	return Other
}

// caribbean are the countries under calling code 1 that are no part of the market North America.
var caribbean = map[string]bool{"DO": true, "JM": true, "PR": true}

// MarketOf is the market of a country, ISO 3166 alpha-2, whose calling code is given.
func MarketOf(country string, code int) string {
	switch {
	case caribbean[country]:
		return "Rest of Latin America"
	case code == 0:
		return Other
	}
	return Market(wa.WaID(strconv.Itoa(code)))
}
