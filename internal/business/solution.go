package business

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Solution is what two partners offer to clients together: the owner's app and the partner's app get the accounts that clients
// bring through it, each with its own tasks. Source: spec/access.md section 13.
type Solution struct {
	ID      string
	Name    string
	Owner   Party
	Partner Party
	Status  SolutionStatus
	Asked   wa.AppID // the app that asked to deactivate it; empty: nobody did
	Created time.Time
	Updated time.Time
	Gone    bool // on its way out of the store
}

// Party is one of the two sides of a solution.
type Party struct {
	App      wa.AppID
	Business wa.BusinessID
	Tasks    []string // besides those that both sides have, see [Party.Grants]; spec/access.md section 8.2
}

// partnerTasks are what both sides may do with the accounts of clients, whatever the solution adds; MESSAGING is what it is
// about. The owner of an account gives no more than that by a sign-up.
var partnerTasks = []string{"DEVELOP", "MANAGE_TEMPLATES", "MANAGE_PHONE", "MANAGE_PHONE_ASSETS", "VIEW_INSIGHTS"}

// Grants are the tasks that a side has on the accounts of clients.
func (p *Party) Grants() []string {
	out := slices.Clone(partnerTasks)
	for _, t := range p.Tasks {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// SolutionStatus is the state of a solution.
type SolutionStatus string

// The states of a solution that can be reached here; there are no drafts.
const (
	SolutionInitiated   SolutionStatus = "INITIATED"
	SolutionActive      SolutionStatus = "ACTIVE"
	SolutionRejected    SolutionStatus = "REJECTED"
	SolutionDeactivated SolutionStatus = "DEACTIVATED"
)

// Waiting is status_for_pending_request.
func (x *Solution) Waiting() string {
	switch {
	case x.Status == SolutionInitiated:
		return "PENDING_ACTIVATION"
	case x.Asked != "":
		return pendingDeactivation
	}
	return "NONE"
}

const pendingDeactivation = "PENDING_DEACTIVATION"

// Party is the side of an app; nil when it has none.
func (x *Solution) Party(app wa.AppID) *Party {
	switch app {
	case x.Owner.App:
		return &x.Owner
	case x.Partner.App:
		return &x.Partner
	}
	return nil
}

// putPartners takes over what partners do with each other.
func (s *snapshot) putPartners(set *Set) {
	if len(set.Solutions) > 0 {
		s.solutions = grown(s.solutions, len(set.Solutions))
		for _, x := range set.Solutions {
			s.solutions[x.ID] = x
			if x.Gone {
				delete(s.solutions, x.ID)
			}
		}
	}
	if len(set.Intents) > 0 {
		s.intents = grown(s.intents, len(set.Intents))
		for _, i := range set.Intents {
			s.intents[i.ID] = i
			if i.Gone {
				delete(s.intents, i.ID)
			}
		}
	}
	if len(set.Certifications) > 0 {
		s.certifications = grown(s.certifications, len(set.Certifications))
		for _, x := range set.Certifications {
			s.certifications[x.ID] = x
			if x.Gone {
				delete(s.certifications, x.ID)
			}
		}
	}
}

// maxSolutions bounds the solutions that an app owns and that may still serve somebody (ours).
const maxSolutions = 100

// holdsMessaging reports whether tasks let somebody send messages.
func holdsMessaging(tasks []string) bool {
	return slices.ContainsFunc(tasks, func(t string) bool { return t == "MESSAGING" || t == "MANAGE" || t == "FULL_CONTROL" })
}

func (x *Solution) check() error {
	const least, most = 2, 75
	if n := utf8.RuneCountInString(strings.TrimSpace(x.Name)); n < least || n > most {
		return wa.ErrInvalidParameter.Titled("Param solution_name must have %d to %d characters.", least, most)
	}
	if x.Owner.App == x.Partner.App || x.Owner.Business == x.Partner.Business {
		return wa.ErrInvalidParameter.Titled("Param partner_app_id must be the id of an app of another business.")
	}
	if holdsMessaging(x.Owner.Tasks) == holdsMessaging(x.Partner.Tasks) {
		return wa.ErrInvalidParameter.Titled("Exactly one of owner_permissions and partner_permissions must contain MESSAGING.")
	}
	return nil
}

func refuseSolution(format string, args ...any) error {
	return wa.ErrManagementParameter.User("Solution can't be changed", fmt.Sprintf(format, args...))
}

// CreateSolution offers a solution to the partner's app, which has to accept it. Errors: rows of code 100.
func (s *Service) CreateSolution(ctx context.Context, x Solution) (*Solution, error) {
	x.Name = strings.TrimSpace(x.Name)
	if err := x.check(); err != nil {
		return nil, err
	}
	s.lock()
	defer s.mu.Unlock()
	owned := 0
	for _, o := range s.snap.Load().solutions {
		if o.Owner.App == x.Owner.App && (o.Status == SolutionInitiated || o.Status == SolutionActive) {
			owned++
		}
	}
	if owned >= maxSolutions {
		return nil, wa.ErrManagementParameter.User("Limit reached", fmt.Sprintf("An app owns at most %d solutions.", maxSolutions))
	}
	id, err := s.freeID()
	if err != nil {
		return nil, err
	}
	x.ID, x.Status, x.Asked, x.Created = id, SolutionInitiated, "", s.clock.Now()
	x.Updated = x.Created
	s.tellSolution(&x, "SOLUTION_CREATED", string(x.Status))
	if err := s.commit(ctx, &Set{Solutions: []*Solution{&x}}); err != nil {
		return nil, fmt.Errorf("create solution: %w", err)
	}
	return &x, nil
}

type solutionValue struct {
	Event  string `json:"event"`
	ID     string `json:"solution_id"`
	Status string `json:"solution_status"`
}

// tellSolution owes both sides the webhook partner_solutions, whose entry is their portfolio's. The caller holds mu.
func (s *Service) tellSolution(x *Solution, event, status string) {
	for _, b := range []wa.BusinessID{x.Owner.Business, x.Partner.Business} {
		n := s.notice("", FieldSolutions, solutionValue{event, x.ID, status})
		n.Entry = string(b)
		s.owe(n)
	}
}

// Solution finds a solution by id.
func (s *Service) Solution(id string) (*Solution, bool) {
	x, ok := s.snap.Load().solutions[id]
	return x, ok
}

// SolutionsOf returns the solutions of an app, as the owner or as the partner, oldest first.
func (s *Service) SolutionsOf(app wa.AppID, owner, partner bool) []*Solution {
	return sorted(s.snap.Load().solutions, func(x *Solution) bool {
		return owner && x.Owner.App == app || partner && x.Partner.App == app
	}, func(a, b *Solution) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
}

// changeSolution changes a copy; change says what the sides are told, "" for nothing.
func (s *Service) changeSolution(ctx context.Context, id string, change func(*Solution) (status string, err error)) (*Solution, error) {
	s.lock()
	defer s.mu.Unlock()
	old, ok := s.snap.Load().solutions[id]
	if !ok {
		return nil, fmt.Errorf("solution %s: %w", id, ErrUnknown)
	}
	x := *old
	status, err := change(&x)
	if err != nil {
		return nil, err
	}
	x.Updated = s.clock.Now()
	s.tellSolution(&x, "SOLUTION_UPDATED", status)
	if err := s.commit(ctx, &Set{Solutions: []*Solution{&x}}); err != nil {
		return nil, fmt.Errorf("change solution %s: %w", id, err)
	}
	return &x, nil
}

// AnswerSolution is the partner's answer to the offer; tasks replace those that the owner proposed for the partner, nil keeps
// them. Errors: [ErrUnknown], rows of code 100.
func (s *Service) AnswerSolution(ctx context.Context, id string, app wa.AppID, accept bool, tasks []string) (*Solution, error) {
	return s.changeSolution(ctx, id, func(x *Solution) (string, error) {
		switch {
		case app != x.Partner.App:
			return "", refuseSolution("Only the partner's app can answer the offer.")
		case x.Status != SolutionInitiated:
			return "", refuseSolution("The solution waits for no answer: it is %s.", x.Status)
		case !accept:
			x.Status = SolutionRejected
			return string(x.Status), nil
		case tasks != nil:
			x.Partner.Tasks = tasks
		}
		x.Status = SolutionActive
		return string(x.Status), x.check()
	})
}

// AskDeactivation asks the other side to end a solution. Errors: [ErrUnknown], rows of code 100.
func (s *Service) AskDeactivation(ctx context.Context, id string, app wa.AppID) (*Solution, error) {
	return s.changeSolution(ctx, id, func(x *Solution) (string, error) {
		switch {
		case x.Party(app) == nil:
			return "", refuseSolution("Only the apps of the solution can ask for that.")
		case x.Status != SolutionActive:
			return "", refuseSolution("The solution is not active: it is %s.", x.Status)
		case x.Asked != "":
			return "", refuseSolution("Its deactivation was asked for already.")
		}
		x.Asked = app
		return pendingDeactivation, nil
	})
}

// AnswerDeactivation is the other side's answer. A solution that has ended takes no more clients; those that it has stay with
// both sides until somebody ends their shares. Errors: [ErrUnknown], rows of code 100.
func (s *Service) AnswerDeactivation(ctx context.Context, id string, app wa.AppID, accept bool) (*Solution, error) {
	return s.changeSolution(ctx, id, func(x *Solution) (string, error) {
		switch {
		case x.Asked == "":
			return "", refuseSolution("Nobody asked to deactivate the solution.")
		case x.Party(app) == nil || x.Asked == app:
			return "", refuseSolution("The other app of the solution has to answer.")
		}
		x.Asked = ""
		if accept {
			x.Status = SolutionDeactivated
		}
		return string(x.Status), nil
	})
}

// holds reports whether a portfolio is one of the sides.
func (x *Solution) holds(b wa.BusinessID) bool {
	return x.Owner.Business == b || x.Partner.Business == b
}

// Join brings a client's account into a solution: both sides share it with their tasks, those of the solution before do not any
// more, and an intent to move it there is fulfilled. Errors: [ErrUnknown], a row of code 100 for a solution that is not active.
func (s *Service) Join(ctx context.Context, id wa.WABAID, solution string) (*WABA, error) {
	return s.UpdateWABA(ctx, id, func(w *WABA) error {
		x, ok := s.snap.Load().solutions[solution]
		if !ok || x.Status != SolutionActive {
			return wa.ErrInvalidParameter.Titled("The solution is not active.")
		}
		before, left := slices.Clone(w.Shared), s.snap.Load().solutions[w.Solution]
		w.Shared = slices.DeleteFunc(w.Shared, func(h Share) bool {
			return x.holds(h.Business) || left != nil && left.holds(h.Business)
		})
		w.Solution = x.ID
		for _, p := range []Party{x.Owner, x.Partner} {
			if p.Business != w.Owner {
				w.Shared = append(w.Shared, Share{Business: p.Business, Tasks: p.Grants(), Since: s.clock.Now()})
			}
		}
		s.shared(w, before)
		for _, i := range s.snap.Load().intents {
			if i.WABA == id && i.Status == IntentInitiated && i.Solution == x.ID {
				c := *i
				c.Status, c.Updated = IntentCompleted, s.clock.Now()
				s.draft.Intents = append(s.draft.Intents, &c)
			}
		}
		return w.check()
	})
}

// Onboarding is a request to bring the clients of partners to the marketing messages API.
type Onboarding struct {
	ID       string
	Solution string // id of a solution; empty: all clients
	Asked    time.Time
}

// OnboardPartners notes the request and returns its id. Errors: [ErrUnknown], [wa.ErrDuplicateRequest] for a second one.
func (s *Service) OnboardPartners(ctx context.Context, id wa.BusinessID, solution string) (string, error) {
	p, err := s.UpdatePortfolio(ctx, id, func(p *Portfolio) error {
		if p.Onboarding != nil {
			return wa.ErrDuplicateRequest
		}
		free, err := s.freeID()
		if err != nil {
			return err
		}
		p.Onboarding = &Onboarding{ID: free, Solution: solution, Asked: s.clock.Now()}
		return nil
	})
	if err != nil {
		return "", err
	}
	return p.Onboarding.ID, nil
}
