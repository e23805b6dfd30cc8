package app

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// What is exposed and what docs/metrics.md lists are the same, labels included.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, exposed []string
	for line := range strings.Lines(string(page)) {
		names, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		for _, m := range regexp.MustCompile("`(hikyaku_[a-z_{},]+)`").FindAllStringSubmatch(names, -1) {
			listed = append(listed, m[1])
		}
	}
	descs := make(chan *prometheus.Desc, 1000)
	New(Options{Data: t.TempDir()}).metrics.registry.Describe(descs)
	close(descs)
	parts := regexp.MustCompile(`fqName: "(hikyaku_[a-z_]+)".*constLabels: \{([^}]*)\}, variableLabels: \{([a-z_,]*)\}`)
	value := regexp.MustCompile(`="[^"]*"`)
	for d := range descs {
		if m := parts.FindStringSubmatch(d.String()); m != nil {
			name := m[1]
			if labels := value.ReplaceAllString(m[2], "") + m[3]; labels != "" {
				name += "{" + labels + "}"
			}
			exposed = append(exposed, name)
		}
	}
	slices.Sort(listed)
	slices.Sort(exposed)
	exposed = slices.Compact(exposed) // one for each value of a constant label
	if len(exposed) < 20 || !slices.Equal(listed, exposed) {
		t.Errorf("docs/metrics.md lists\n%s\nexposed are\n%s", strings.Join(listed, "\n"), strings.Join(exposed, "\n"))
	}
}
