package business

import (
	"context"
	"fmt"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Intent is a partner's wish that a client's account moves to another solution: the client carries it out by signing up with
// that solution. Source: spec/access.md section 13.
type Intent struct {
	ID       string
	WABA     wa.WABAID
	App      wa.AppID // of the solution
	Solution string
	Status   IntentStatus
	Created  time.Time
	Updated  time.Time
	Gone     bool // on its way out of the store
}

// IntentStatus is the state of an intent.
type IntentStatus string

// The states of an intent. A newer intent for the same account rejects the one before; what is accepted is completed at once.
const (
	IntentInitiated IntentStatus = "INITIATED"
	IntentRejected  IntentStatus = "REJECTED"
	IntentCompleted IntentStatus = "COMPLETED"
)

// MoveTo notes that an account is to move to a solution of app. Errors: [ErrUnknown], rows of code 100.
func (s *Service) MoveTo(ctx context.Context, id wa.WABAID, app wa.AppID, solution string) (*Intent, error) {
	s.lock()
	defer s.mu.Unlock()
	w, ok := s.WABA(id)
	if !ok {
		return nil, fmt.Errorf("move account %s to a solution: %w", id, ErrUnknown)
	}
	snap := s.snap.Load()
	x := snap.solutions[solution]
	switch {
	case x == nil || x.Party(app) == nil || x.Status != SolutionActive:
		return nil, wa.ErrInvalidParameter.Titled("Param solution_id must be the id of an active solution of the app.")
	case w.Solution == solution:
		return nil, wa.ErrInvalidParameter.Titled("The WhatsApp Business Account belongs to the solution already.")
	}
	var set Set
	for _, i := range snap.intents {
		if i.WABA == id && i.Status == IntentInitiated {
			c := *i
			c.Status, c.Updated = IntentRejected, s.clock.Now()
			set.Intents = append(set.Intents, &c)
		}
	}
	free, err := s.freeID()
	if err != nil {
		return nil, err
	}
	i := &Intent{ID: free, WABA: id, App: app, Solution: solution, Status: IntentInitiated, Created: s.clock.Now()}
	i.Updated = i.Created
	set.Intents = append(set.Intents, i)
	if err := s.commit(ctx, &set); err != nil {
		return nil, fmt.Errorf("move account %s to a solution: %w", id, err)
	}
	return i, nil
}

// Intent finds an intent by id.
func (s *Service) Intent(id string) (*Intent, bool) {
	i, ok := s.snap.Load().intents[id]
	return i, ok
}
