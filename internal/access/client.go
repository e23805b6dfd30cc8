package access

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// What a partner may bring in by the sign-up of clients within seven days. Source: spec/limits.md section 7.
const (
	newClientsAtFirst = 10
	newClientsGrown   = 200
	newClientsWindow  = 7 * 24 * time.Hour
)

// ErrManyClients is returned when a partner has brought in as many new clients as it may.
var ErrManyClients = errors.New("the business of the app has brought in as many new clients as it may within seven days")

// ClientUser is the system user that an app acts as for a client, made when there is none; by is who lets the app in. Errors:
// [ErrUnknown] for the app.
func (s *Service) ClientUser(ctx context.Context, app wa.AppID, client wa.BusinessID, by string) (*SystemUser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clientUser(ctx, app, client, by)
}

// AdmitClient is ClientUser for a client that signs up. The portfolio of the app may bring in ten new ones in seven days, 200
// once it is verified. Errors: [ErrUnknown], [ErrManyClients]. Source: spec/access.md section 12.2.
func (s *Service) AdmitClient(ctx context.Context, app wa.AppID, client wa.BusinessID, by string, verified bool) (*SystemUser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.App(app); ok && !s.takesClient(a.Business, client, verified) {
		return nil, ErrManyClients
	}
	return s.clientUser(ctx, app, client, by)
}

// clientUser needs mu.
func (s *Service) clientUser(ctx context.Context, app wa.AppID, client wa.BusinessID, by string) (*SystemUser, error) {
	a, ok := s.App(app)
	if !ok {
		return nil, ErrUnknown
	}
	for _, u := range s.SystemUsers(client) {
		if u.Client == client && slices.Contains(u.Installed, app) {
			return u, nil
		}
	}
	return s.createSystemUser(ctx, SystemUser{
		Business: client, Name: a.Name, Role: Employee, Client: client, Installed: []wa.AppID{app}, CreatedBy: by,
	})
}

// Clients are the portfolios that let the app in by a sign-up, and that still give it accounts.
func (s *Service) Clients(app wa.AppID) []wa.BusinessID {
	var out []wa.BusinessID
	for _, u := range s.snap.Load().system {
		if u.Client != "" && len(u.Assigned) > 0 && slices.Contains(u.Installed, app) {
			out = append(out, u.Client)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// takesClient reports whether a portfolio has the client already, or may bring in one more.
func (s *Service) takesClient(partner, client wa.BusinessID, verified bool) bool {
	since, most, fresh := s.clock.Now().Add(-newClientsWindow), newClientsAtFirst, map[wa.BusinessID]bool{}
	if verified {
		most = newClientsGrown
	}
	snap := s.snap.Load()
	for _, u := range snap.system {
		if u.Client == "" || u.Client == partner || !slices.ContainsFunc(u.Installed, func(id wa.AppID) bool {
			a := snap.apps[id]
			return a != nil && a.Business == partner
		}) {
			continue
		}
		if u.Client == client {
			return true
		}
		if u.Created.After(since) {
			fresh[u.Client] = true
		}
	}
	return client == partner || len(fresh) < most
}
