package manager

import (
	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// Reads reports whether a person may see a delivery of an app with this payload.
func (m *Manager) Reads(p *access.Person, a *access.App, payload string) bool {
	v := &visit{m: m, person: p, caller: m.o.Access.Visitor(p), app: a}
	return v.reads(&webhook.Delivery{Payload: []byte(payload)})
}
