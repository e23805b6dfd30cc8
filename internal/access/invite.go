package access

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Invitation asks somebody to join a portfolio. No mail is sent: a person to whom the operator gave the address
// joins when they log in, everybody else by a link ([Service.InvitationLink]). Source: spec/access.md section 8.1.
type Invitation struct {
	ID       string
	Business wa.BusinessID
	Email    string // lower case
	Role     Role
	By       string // id of the inviting actor
	Created  time.Time
	Accepted time.Time // zero: waits
}

const (
	invitationLife = 30 * 24 * time.Hour // ours
	maxInvitations = 100                 // that wait, of a portfolio (ours)
	maxEmail       = 254
)

// waits reports whether the invitation can be accepted.
func (i *Invitation) waits(now time.Time) bool {
	return i.Accepted.IsZero() && now.Before(i.Expires())
}

// Expires is when the invitation lapses.
func (i *Invitation) Expires() time.Time { return i.Created.Add(invitationLife) }

// Invite asks somebody to join a portfolio; an invitation of the same address that waits is replaced. Errors: rows of code 100.
func (s *Service) Invite(ctx context.Context, b wa.BusinessID, email string, role Role, by string) (*Invitation, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	name, host, ok := strings.Cut(email, "@")
	if !ok || name == "" || !strings.Contains(host, ".") || len(email) > maxEmail || strings.ContainsAny(email, " \t\r\n<>\"") || strings.Contains(host, "@") {
		return nil, limitError("Param email must be an e-mail address.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	snap, now, waiting, id := s.snap.Load(), s.clock.Now(), 0, ""
	for _, p := range snap.people {
		if strings.ToLower(p.Email) == email && slices.ContainsFunc(p.Member, func(m Membership) bool { return m.Business == b }) {
			return nil, limitError("Param email is that of somebody who belongs to the business already.")
		}
	}
	for _, i := range snap.invitations {
		if i.Business == b && i.waits(now) {
			waiting++
			if i.Email == email {
				id = i.ID
			}
		}
	}
	if id == "" {
		if waiting >= maxInvitations {
			return nil, limitError("A business has at most %d invitations that wait.", maxInvitations)
		}
		var err error
		if id, err = s.idFor(""); err != nil {
			return nil, fmt.Errorf("invite: %w", err)
		}
	}
	i := &Invitation{ID: id, Business: b, Email: email, Role: role, By: by, Created: now}
	if err := s.commit(ctx, &Set{Invitations: []*Invitation{i}}); err != nil {
		return nil, fmt.Errorf("invite: %w", err)
	}
	return i, nil
}

// Invitations returns those of a portfolio that wait, oldest first.
func (s *Service) Invitations(b wa.BusinessID) []*Invitation {
	var out []*Invitation
	now := s.clock.Now()
	for _, i := range s.snap.Load().invitations {
		if i.Business == b && i.waits(now) {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b *Invitation) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

// invited reports whether an invitation of an address waits.
func (s *snapshot) invited(email string, now time.Time) bool {
	for _, i := range s.invitations {
		if strings.EqualFold(i.Email, email) && i.waits(now) {
			return true
		}
	}
	return false
}

// join lets a person accept what waits for their address, or of it one invitation alone. All of it is only for those whose address the
// operator gave them: an address that somebody claimed themselves opens nothing.
func (s *Service) join(ctx context.Context, who *Person, only string) (*Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, set := s.clock.Now(), &Set{}
	snap := s.snap.Load()
	p := *snap.people[who.ID]
	p.Member = slices.Clone(p.Member)
	for _, i := range snap.invitations {
		if i.Email != strings.ToLower(strings.TrimSpace(p.Email)) || !i.waits(now) || only != "" && i.ID != only {
			continue
		}
		c := *i
		c.Accepted = now
		set.Invitations = append(set.Invitations, &c)
		if !slices.ContainsFunc(p.Member, func(m Membership) bool { return m.Business == i.Business }) {
			p.Member = append(p.Member, Membership{Business: i.Business, Role: i.Role, Since: now})
		}
	}
	if len(set.Invitations) == 0 {
		return who, nil
	}
	set.People = []*Person{&p}
	if err := s.commit(ctx, set); err != nil {
		return nil, fmt.Errorf("accept invitations: %w", err)
	}
	return &p, nil
}
