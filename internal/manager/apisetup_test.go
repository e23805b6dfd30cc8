package manager_test

import (
	"testing"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// In an open sandbox the message is addressed to the user who is there from the start, until somebody else is chosen.
func TestWhomTheFirstMessageIsFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *manager.Options) { o.StandIn = "16505555555" })
	const call = `&#34;to&#34;: &#34;`
	overview := func(id wa.BusinessID) answer {
		return w.person("o"+string(id)+"@example.com", access.Membership{Business: id, Role: access.Admin}).get("/wa/manage/home/?business_id=" + string(id))
	}
	console := func(id wa.BusinessID, more string) answer {
		app, err := w.access.CreateApp(t.Context(), access.NewApp{Name: "Shop", Business: id})
		if err != nil {
			t.Fatal(err)
		}
		return w.person("p"+string(app.ID)+"@example.com", access.Membership{Business: id, Role: access.Admin}).get("/apps/" + string(app.ID) + "/whatsapp-business/wa-dev-console/" + more)
	}
	console(w.home.ID, "").want(t, "a test number with a list", 200, "Add recipient · 0 of 5", "Add a recipient first.")
	open, err := w.business.CreatePortfolio(t.Context(), business.Portfolio{Name: "Birch"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.business.EnsureTest(t.Context(), open.ID, true); err != nil {
		t.Fatal(err)
	}
	overview(open.ID).want(t, "overview of an open sandbox", 200, "Test numbers write to everybody on this server")
	console(open.ID, "").want(t, "open", 200, `value="+16505555555"`, call+`16505555555&#34;`)
	console(open.ID, "?to=%2B819012345678").want(t, "chosen", 200, `value="+819012345678"`, call+`819012345678&#34;`)
}
