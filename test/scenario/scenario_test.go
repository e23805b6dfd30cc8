package scenario_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/hikyaku/hikyaku/test/scenario"
)

var update = flag.Bool("update", false, "rewrite answers and webhooks of the scenario files with what really happens")

// TestMain lets more scenarios run at once than there are processors: they wait for disks and timers most of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "16")
	os.Exit(m.Run())
}

// TestScenarios plays every file. What is answered and posted must be what the file says, byte for byte, and nothing else
// may be posted.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario files: %v", err)
	}
	for _, path := range files {
		f, err := scenario.Read(path)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			s := open(t, f.Settings)
			real := s.play(f).Format()
			for _, p := range s.problems {
				t.Error(p)
			}
			want := f.Format()
			switch d := diff.Diff("want", want, "got", real); {
			case *update:
				if err := os.WriteFile(path, real, 0o600); err != nil {
					t.Fatal(err)
				}
			case d != nil:
				t.Errorf("%s; if this is right, run the test with -update and read the diff\n%s", path, d)
			}
		})
	}
}
