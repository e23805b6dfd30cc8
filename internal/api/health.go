package api

import (
	"errors"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// entity is one part of health_status. Source: spec/business.md section 10.
type entity struct {
	kind, id string
	owner    wa.BusinessID // of an account: the BUSINESS entity behind it
	code     int           // 0: available
	why, fix string
	info     string // of an entity that sends less than it could
	partly   bool   // with a code: something is still sent
}

const (
	available = "AVAILABLE"
	limited   = "LIMITED"
	blocked   = "BLOCKED"
)

// Codes of health entities. Source: spec/errors.md section 18; the one for numbers spec/business.md section 10 (unverified).
var (
	healthNumber   = wa.ErrHealthNumber.Code
	healthTemplate = wa.ErrHealthTemplate.Code
	healthPayment  = wa.ErrHealthPayment.Code
	healthBanned   = wa.ErrHealthBanned.Code
	healthFlow     = wa.ErrUnknownSend.Code // unverified
)

// health is the whole object. The last entity given is the account; portfolio and app follow it. They are always
// available: nothing here holds a message back for an unverified business or for an app's mode.
func health(c *graph.Call, entities ...entity) graph.Obj {
	account := entities[len(entities)-1]
	entities = append(entities, entity{kind: "BUSINESS", id: string(account.owner)}, entity{kind: "APP", id: string(who(c).App())})
	overall := available
	list := make([]graph.Obj, 0, len(entities))
	for _, e := range entities {
		o := graph.Obj{{K: "entity_type", V: e.kind}, {K: "id", V: e.id}}
		if e.code == 0 && e.info != "" {
			if overall == available {
				overall = limited
			}
			list = append(list, append(o, graph.KV{K: "can_send_message", V: limited}, graph.KV{K: "additional_info", V: []string{e.info}}))
			continue
		}
		if e.code == 0 {
			list = append(list, append(o, graph.KV{K: "can_send_message", V: available}))
			continue
		}
		can := blocked
		if e.partly {
			can = limited
		}
		if overall != blocked {
			overall = can
		}
		list = append(list, append(o, graph.KV{K: "can_send_message", V: can}, graph.KV{K: "errors", V: []graph.Obj{{
			{K: "error_code", V: e.code}, {K: "error_description", V: e.why}, {K: "possible_solution", V: e.fix},
		}}}))
	}
	return graph.Obj{{K: "can_send_message", V: overall}, {K: "entities", V: list}}
}

func (s *surface) wabaHealth(w *business.WABA) entity {
	e := entity{kind: "WABA", id: string(w.ID), owner: w.Owner}
	now := s.o.Clock.Now()
	switch {
	case w.Locked || w.Restricted || w.Status != business.WABAActive || w.Sanction.Bars(false, now) != nil:
		e.code, e.why, e.fix = healthBanned, "The WhatsApp Business Account is locked, restricted or disabled.", "Appeal the decision."
	case w.Sanction.Bars(true, now) != nil:
		e.info = "The WhatsApp Business Account is restricted: it can answer people, but not send templates."
	case !w.Pays(s.o.RequirePayment):
		e.code, e.partly = healthPayment, true
		e.why, e.fix = "There is no valid payment method: billable templates are not delivered.", "Attach a payment method."
	case s.o.Funded != nil && !s.o.Funded(w):
		e.code, e.partly = healthPayment, true
		e.why, e.fix = "The balance or the credit is used up: billable templates are not delivered.", "Pay in, or ask for a higher limit."
	}
	return e
}

// numberHealth asks the same rule that sends are held to, leaving the account out of it.
func numberHealth(n number, now time.Time, full bool) entity {
	e := entity{kind: "PHONE_NUMBER", id: string(n.ID)}
	err := n.Ready(&business.WABA{Status: business.WABAActive}, now)
	if err == nil {
		switch {
		case full:
			e.info = "The messaging limit is used up: only people with an open customer service window can be reached until there is room."
			return e
		case n.Sanction.Bars(true, now) != nil:
			e.info = "The phone number is restricted: it can answer people, but not send templates."
			return e
		}
		if n.Mode != business.Sandbox && (n.NameStatus == business.NamePending || n.NameStatus == business.NameDeclined) {
			e.info = "The display name is not approved: people may not see it."
		}
		return e
	}
	e.code, e.why, e.fix = healthNumber, err.Error(), "See the error code."
	var row *wa.Error
	switch {
	case errors.Is(err, wa.ErrNotRegistered):
		e.why, e.fix = "The phone number is not registered.", "Register the phone number."
	case errors.Is(err, wa.ErrMaintenance):
		e.why, e.fix = "The phone number is in maintenance mode.", "Wait until the maintenance is over."
	case errors.As(err, &row):
		e.why = row.Title
	}
	return e
}

func templateHealth(t *template.Template) entity {
	e := entity{kind: "MESSAGE_TEMPLATE", id: string(t.ID)}
	if template.Sendable(t, t.Name, t.Language) != nil {
		e.code, e.why = healthTemplate, "Message templates can only be sent out if they are approved."
		e.fix = "Edit or appeal the message template review decision."
	}
	return e
}
