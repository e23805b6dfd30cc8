package template_test

import (
	"context"
	"errors"
	"testing"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// maker makes a flow for every button.
type maker struct{ made int }

func (m *maker) Resolve(_ context.Context, _ wa.AppID, _ *template.Template, f *template.Flow) error {
	m.made++
	f.ID, f.JSON = "9001", ""
	return nil
}

// Whoever may not make flows makes none by flow_json, and a template that is refused leaves none behind.
func TestFlowsOfTemplates(t *testing.T) {
	t.Parallel()
	m := new(maker)
	s, _, _ := registry(t, func(o *template.Options) { o.Flows = m })
	try := func(flow string, noFlows error) error {
		t.Helper()
		d, err := template.ParseDraft(graph.Text("", `{"name":"party","language":"en_US","category":"MARKETING","components":[{"type":"BODY","text":"Hi."},`+
			`{"type":"BUTTONS","buttons":[{"type":"FLOW","text":"Go",`+flow+`}]}]}`))
		if err != nil {
			t.Fatal(err)
		}
		d.NoFlows = noFlows
		_, err = s.Submit(t.Context(), "220", d, plenty)
		return err
	}
	if err := try(`"flow_json":"{}"`, wa.ErrFlowIntegrity); !errors.Is(err, wa.ErrFlowIntegrity) || m.made != 0 {
		t.Errorf("without the right: %v, %d flows", err, m.made)
	}
	if err := try(`"flow_id":"7"`, wa.ErrFlowIntegrity); err != nil || m.made != 1 {
		t.Errorf("a flow that is there: %v, %d flows", err, m.made)
	}
	if err := try(`"flow_json":"{}"`, nil); !errors.Is(err, wa.ErrTemplateExists) || m.made != 1 {
		t.Errorf("a name that is taken: %v, %d flows", err, m.made)
	}
}
