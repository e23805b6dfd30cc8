package access

import (
	"context"
	"fmt"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// CreateSystemUser stores a new system user; an empty ID is filled in, an empty role is EMPLOYEE. Errors: [ErrExists].
func (s *Service) CreateSystemUser(ctx context.Context, u SystemUser) (*SystemUser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.createSystemUser(ctx, u)
}

// createSystemUser needs mu.
func (s *Service) createSystemUser(ctx context.Context, u SystemUser) (*SystemUser, error) {
	id, err := s.idFor(string(u.ID))
	if err != nil {
		return nil, fmt.Errorf("create system user: %w", err)
	}
	u.ID, u.Created = wa.SystemUserID(id), s.clock.Now()
	if u.Role == "" {
		u.Role = Employee
	}
	if err := s.commit(ctx, &Set{SystemUsers: []*SystemUser{&u}}); err != nil {
		return nil, fmt.Errorf("create system user: %w", err)
	}
	return &u, nil
}

// UpdateSystemUser changes a system user like [Service.UpdateApp] an app; its portfolio stays.
func (s *Service) UpdateSystemUser(ctx context.Context, id wa.SystemUserID, change func(*SystemUser) error) (*SystemUser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.snap.Load().system[id]
	if !ok {
		return nil, fmt.Errorf("update system user %s: %w", id, ErrUnknown)
	}
	u := *old
	if err := change(&u); err != nil {
		return nil, err
	}
	u.ID, u.Business = id, old.Business
	if err := s.commit(ctx, &Set{SystemUsers: []*SystemUser{&u}}); err != nil {
		return nil, fmt.Errorf("update system user %s: %w", id, err)
	}
	return &u, nil
}

// CreatePerson stores a new person; an empty ID is filled in. Errors: [ErrExists], [ErrEmail].
func (s *Service) CreatePerson(ctx context.Context, p Person) (*Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, err := s.idFor(p.ID)
	if err != nil {
		return nil, fmt.Errorf("create person: %w", err)
	}
	p.ID, p.Created = id, s.clock.Now()
	if s.snap.Load().emailTaken(p.Email, id) {
		return nil, fmt.Errorf("create person: %w", ErrEmail)
	}
	if err := s.commit(ctx, &Set{People: []*Person{&p}}); err != nil {
		return nil, fmt.Errorf("create person: %w", err)
	}
	return &p, nil
}

// UpdatePerson changes a person like [Service.UpdateApp] an app.
func (s *Service) UpdatePerson(ctx context.Context, id string, change func(*Person) error) (*Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.snap.Load().people[id]
	if !ok {
		return nil, fmt.Errorf("update person %s: %w", id, ErrUnknown)
	}
	p := *old
	if err := change(&p); err != nil {
		return nil, err
	}
	p.ID = id
	if err := s.commit(ctx, &Set{People: []*Person{&p}}); err != nil {
		return nil, fmt.Errorf("update person %s: %w", id, err)
	}
	return &p, nil
}
