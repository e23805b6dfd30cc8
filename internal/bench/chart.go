package bench

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// chartWidth is the length of the longest bar in characters.
const chartWidth = 40

// Chart writes the buckets as bars with counts and shares.
func Chart(w io.Writer, buckets []Bucket) error {
	most, total := int64(0), int64(0)
	for _, b := range buckets {
		most, total = max(most, b.Count), total+b.Count
	}
	for _, b := range buckets {
		_, err := fmt.Fprintf(w, "  %6s – %-6s ms %-*s %10s %6.2f %%\n", number(b.From), number(b.To),
			chartWidth, bar(b.Count, most), thousands(b.Count), 100*float64(b.Count)/float64(total))
		if err != nil {
			return err
		}
	}
	return nil
}

// bar is as long as n is large; something is seen of everything above 0.
func bar(n, most int64) string {
	if n == 0 {
		return ""
	}
	full := int(n * chartWidth / most)
	if full == 0 {
		return "▏"
	}
	return strings.Repeat("█", full)
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// thousands writes 12345 as 12,345.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}
