package kit_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
)

// TestChartsReachTheirTop holds for figures of any size that the scale has few steps and that nothing is drawn above it.
func TestChartsReachTheirTop(t *testing.T) {
	t.Parallel()
	for _, top := range []int64{0, 1, 3, 4, 5, 9, 10, 11, 99, 100, 2914, 31_204, 999_999, 1_000_001, math.MaxInt64 / 16} {
		page := html.String(kit.Lines(i18n.English, kit.Chart{Label: "Messages", Points: "Day", X: []string{"1", "2"}, Series: []kit.Series{
			{Name: "Sent", Hue: "sent", Values: []int64{0, top}}, {Name: "Read", Hue: "read", Values: []int64{0, top / 2}, Area: true},
		}}))
		_, scale, _ := strings.Cut(page, `class="scale">`)
		scale, _, _ = strings.Cut(scale, "</div>")
		if steps := strings.Count(scale, "<span>"); steps < 2 || steps > 6 {
			t.Errorf("%d: %d steps: %s", top, steps, scale)
		}
		var at int
		var y float64
		_, line, _ := strings.Cut(page, `class="line d-sent" points="0,100.00 `)
		if _, err := fmt.Sscanf(line, "%d,%f", &at, &y); err != nil || y < 0 || y > 100 || top > 1 && y > 60 {
			t.Errorf("%d is drawn at %v (%v): %.40s", top, y, err, line)
		}
	}
}

func TestHistogramSaysItsFigures(t *testing.T) {
	t.Parallel()
	got := words(t, kit.Hist("Latency", kit.Bucket{Name: "25", N: 1200}, kit.Bucket{Name: "5 s", N: 1, Tone: kit.Bad}, kit.Bucket{Name: "more"}))
	if got != "25: 1,2005 s: 1more: 0" {
		t.Error(got)
	}
}
