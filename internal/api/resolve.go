package api

import (
	"context"
	"errors"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The kinds of nodes. They are also labels of metrics.
const (
	kindBusiness = "business"
	kindWABA     = "waba"
	kindNumber   = "phone_number"
	kindTemplate = "template"

	kindFlow = "flow"

	kindTemplateGroup = "template_group"
	kindApp           = "app"
	kindSystemUser    = "system_user"
	kindPerson        = "user"
	kindMedia         = "media"
	kindUpload        = "upload"
	kindHistory       = "message_history"

	kindPreverified = "preverified_number"
	kindCredit      = "credit_line"
	kindAllocation  = "credit_allocation"
	kindSolution    = "solution"
	kindIntent      = "migration_intent"
)

// Resolve implements graph.Resolver: all objects share one id space (spec/graph.md section 1). Numbers come first because
// they are asked for most.
func (s *surface) Resolve(ctx context.Context, _ graph.Caller, id string) (string, error) {
	if _, ok := s.o.Business.Number(wa.PhoneNumberID(id)); ok {
		return kindNumber, nil
	}
	if _, ok := s.o.Business.WABA(wa.WABAID(id)); ok {
		return kindWABA, nil
	}
	if _, ok := s.o.Template.Template(wa.TemplateID(id)); ok {
		return kindTemplate, nil
	}
	if _, ok := s.o.Flows.Flow(wa.FlowID(id)); ok {
		return kindFlow, nil
	}
	if _, ok := s.group(id); ok {
		return kindTemplateGroup, nil
	}
	if _, ok := s.o.Business.Portfolio(wa.BusinessID(id)); ok {
		return kindBusiness, nil
	}
	if _, ok := s.o.Access.App(wa.AppID(id)); ok {
		return kindApp, nil
	}
	if _, ok := s.o.Access.SystemUser(wa.SystemUserID(id)); ok {
		return kindSystemUser, nil
	}
	if _, ok := s.o.Access.Person(id); ok {
		return kindPerson, nil
	}
	if _, ok := s.o.Business.Preverified(id); ok {
		return kindPreverified, nil
	}
	if _, ok := s.o.Business.Creditor(id); ok {
		return kindCredit, nil
	}
	if _, _, ok := s.o.Business.Allocation(id); ok {
		return kindAllocation, nil
	}
	if _, ok := s.o.Business.Solution(id); ok {
		return kindSolution, nil
	}
	if _, ok := s.o.Business.Intent(id); ok {
		return kindIntent, nil
	}
	if _, ok := historyRow(id); ok {
		return kindHistory, nil
	}
	if s.o.Media == nil {
		return "", nil
	}
	if media.IsSession(id) {
		return kindUpload, nil
	}
	switch _, err := s.o.Media.Describe(ctx, id); {
	case err == nil:
		return kindMedia, nil
	case !errors.Is(err, media.ErrNotFound):
		return "", wa.ErrUnknown.Because(err)
	}
	return "", nil
}
