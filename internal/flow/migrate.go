package flow

import (
	"context"
	"strconv"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Migrated is a flow that was copied.
type Migrated struct {
	Name     string
	From, To wa.FlowID
}

// Failure is a flow that was not copied. Codes are texts on the wire.
type Failure struct {
	Name, Code, Message string
}

// Codes of failures. Source: spec/flows.md section 2; only that of a missing name is documented, the others are ours.
const (
	codeMissing = 4233041
	codeTaken   = 4233042
	codeNoJSON  = 4233043
	codeFull    = 4233044
)

// Migrate copies flows of one account to another, as drafts of the same names without an app; no names means all of them. The
// caller has made sure that both belong to one business.
func (s *Service) Migrate(ctx context.Context, from, to wa.WABAID, names []string) (done []Migrated, failed []Failure, err error) {
	if names == nil {
		for _, f := range s.List(from) {
			names = append(names, f.Name)
		}
	}
	for _, name := range names {
		refuse := func(code int, message string) {
			failed = append(failed, Failure{name, strconv.Itoa(code), message})
		}
		old, ok := s.Named(from, name)
		if !ok {
			refuse(codeMissing, "Flow name not found in the source account.")
			continue
		}
		n := old.Live.N
		if n == 0 {
			n = old.Draft.N
		}
		if n == 0 {
			refuse(codeNoJSON, "The Flow has no Flow JSON.")
			continue
		}
		json, err := s.JSON(ctx, old.ID, n)
		if err != nil {
			return done, failed, err
		}
		f := &Flow{WABA: to, Name: name, Status: Draft, Categories: old.Categories, Endpoint: old.Endpoint}
		if err := s.write(f, json); err != nil {
			return done, failed, err
		}
		switch taken, err := s.addFree(ctx, f, json); {
		case err != nil:
			return done, failed, err
		case taken != 0:
			refuse(taken, map[int]string{codeTaken: "Flow name already exists in the destination account.", codeFull: "The destination account has too many Flows."}[taken])
		default:
			done = append(done, Migrated{name, old.ID, f.ID})
		}
	}
	return done, failed, nil
}

// addFree is add unless the account cannot have the flow.
func (s *Service) addFree(ctx context.Context, f *Flow, json []byte) (code int, err error) {
	a := s.account(f.WABA)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch v := a.view.Load(); {
	case v.byName[f.Name] != nil:
		return codeTaken, nil
	case len(v.list) >= s.o.MaxFlows:
		return codeFull, nil
	}
	return 0, s.add(ctx, a, f, json)
}
