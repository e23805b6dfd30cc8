package console

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/flow/document"
)

// A form that asks for files takes paths of this machine.
func TestAFormTakesFiles(t *testing.T) {
	t.Parallel()
	d, problems, err := document.Parse([]byte(`{"version":"7.3","screens":[{"id":"A","title":"Damage","terminal":true,"layout":{"type":"SingleColumnLayout","children":[
		{"type":"PhotoPicker","name":"photos","label":"Photos","min-uploaded-photos":1,"max-uploaded-photos":2,"max-file-size-kb":1},
		{"type":"Footer","label":"Send","on-click-action":{"name":"complete","payload":{"photos":"${form.photos}"}}}]}}]}`))
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	dir := t.TempDir()
	file := func(name string, size int) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.Repeat("x", size)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one, two, large, text := file("a.jpg", 9), file("b.png", 9), file("c.jpg", 2000), file("d.txt", 9)
	s := d.Open("", nil)
	if err := s.Start("", nil); err != nil {
		t.Fatal(err)
	}
	f := newForm(new(device.OfferedFlow), s, opened{})
	for _, c := range []struct{ typed, want string }{
		{"", "! Photos: This is required."},
		{filepath.Join(dir, "none.jpg"), "cannot be read"},
		{large, "c.jpg is larger than 1 KB."},
		{text, "d.txt is not a photo."},
		{one + " " + two + " " + one, "at most 2 files can be chosen"},
		{one + "  " + two, "└ [enter] Send"},
	} {
		f.answer(t.Context(), c.typed)
		if got := strings.Join(f.prompt(), "\n"); !strings.Contains(got, c.want) {
			t.Errorf("%q: %s\nwant %s", c.typed, got, c.want)
		}
	}
	if got := shown(f.view.Field("photos")); got != "a.jpg, b.png" {
		t.Errorf("the form shows %q", got)
	}
	f.answer(t.Context(), "")
	if got := string(f.done); !strings.Contains(got, `"files":{"photos":[{"file_name":"a.jpg","mime_type":"image/jpeg","blob":{"id":"b"}},{"file_name":"b.png"`) ||
		strings.Contains(got, `\"photos\"`) {
		t.Errorf("the answer %s", got)
	}
}
