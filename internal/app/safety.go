package app

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// safetyNumber shows the 60 digits that a user's phone shows for a business number, so that somebody can compare them.
// Source: spec/security.md S9.
func safetyNumber(r *http.Request, p *platform) (any, error) {
	of, err := p.knownNumber(r.URL.Query().Get("number"))
	if err != nil {
		return nil, err
	}
	user, err := wa.ParsePhone(r.URL.Query().Get("user"))
	if err != nil {
		return nil, badRequest("user: want a number such as 16505555555")
	}
	u, err := p.store.Directory().User(r.Context(), user)
	if err != nil {
		return nil, err
	}
	if u == nil || len(u.Devices) == 0 {
		return nil, notFound("no device has +%s", user)
	}
	n, ok := p.rules.business.NumberByWaID(wa.WaID(of))
	if !ok || !n.Registered {
		return nil, notFound("+%s is not registered", of)
	}
	key, err := p.pipeline.Identity(r.Context(), n.ID)
	if err != nil {
		return nil, err
	}
	digits := signal.SafetyNumber(key, of, u.Devices[0].IdentityKey, string(user))
	groups := make([]string, 0, len(digits)/5)
	for five := range slices.Chunk([]byte(digits), 5) {
		groups = append(groups, string(five))
	}
	return map[string]string{"number": of, "user": string(user), "safety_number": strings.Join(groups, " ")}, nil
}
