package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/device/virtual"
	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// maxBulk bounds the users of one call.
const maxBulk = 100_000

func (a *App) userRoutes(handle func(string, controlHandler)) {
	handle("GET /control/v1/users", listUsers)
	handle("POST /control/v1/users", createUsers)
	handle("GET /control/v1/users/{wa_id}/messages", asUser(chatOfUser))
	handle("POST /control/v1/users/{wa_id}/messages", asUser(sendAsUser))
	handle("POST /control/v1/users/{wa_id}/actions", asUser(actAsUser))
	handle("GET /control/v1/users/{wa_id}/media", asUser(userFile))
}

// moved is what a call about a number says that a real phone has.
const moved = "this number moved to a phone of its own (hikyaku chat): act there, or use another user"

// asUser refuses calls about a number that a phone has taken over. The directory is asked and not the virtual user, who does not
// hear of it before it is online again, and not at all after a start.
func asUser(h controlHandler) controlHandler {
	return func(r *http.Request, p *platform) (any, error) {
		u, err := p.store.Directory().User(r.Context(), wa.WaID(user(r)))
		switch {
		case err != nil:
			return nil, err
		case hasPhone(u):
			return nil, &controlError{http.StatusConflict, moved}
		}
		return h(r, p)
	}
}

// phones returns the numbers from first to last that real phones have.
func (p *platform) phones(ctx context.Context, first, last wa.WaID) (map[wa.WaID]bool, error) {
	found := map[wa.WaID]bool{}
	u, err := p.store.Directory().User(ctx, first)
	if err != nil {
		return nil, err
	}
	if hasPhone(u) {
		found[first] = true
	}
	for after := first; after < last; {
		page, err := p.directory.Users(ctx, after, userPage)
		if err != nil {
			return nil, err
		}
		for _, u := range page {
			if u.WaID <= last && hasPhone(u) {
				found[u.WaID] = true
			}
		}
		if len(page) < userPage {
			break
		}
		after = page[len(page)-1].WaID
	}
	return found, nil
}

func chatOfUser(r *http.Request, p *platform) (any, error) {
	list, err := p.fleet.Messages(user(r))
	if err != nil {
		return nil, userError(err)
	}
	if list == nil {
		list = []virtual.Message{}
	}
	return map[string]any{"data": list}, nil
}

func user(r *http.Request) string { return strings.TrimPrefix(r.PathValue("wa_id"), "+") }

func userError(err error) error {
	switch {
	case errors.Is(err, virtual.ErrUnknown):
		return notFound("%v", err)
	case errors.Is(err, virtual.ErrAction), errors.Is(err, virtual.ErrBehaviour), errors.Is(err, device.ErrContent),
		errors.Is(err, device.ErrUnknown), errors.Is(err, device.ErrQueue), errors.Is(err, device.ErrFile),
		errors.Is(err, virtual.ErrFlow):
		return badRequest("%v", err)
	case errors.Is(err, device.ErrBlocked):
		return &controlError{http.StatusConflict, err.Error()}
	case errors.Is(err, network.ErrTaken):
		return &controlError{http.StatusConflict, "the new number has a user already"}
	case errors.Is(err, virtual.ErrNoFiles):
		return &controlError{http.StatusNotImplemented, err.Error()}
	case errors.Is(err, device.ErrGone):
		return &controlError{http.StatusConflict, moved}
	}
	return err
}

func listUsers(r *http.Request, p *platform) (any, error) {
	q := r.URL.Query()
	limit := userPage
	if s := q.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return nil, badRequest("limit: want a number from 1 to %d", userPage)
		}
		limit = min(n, userPage)
	}
	list := []virtual.Info{}
	for after := q.Get("after"); len(list) < limit; {
		page := p.fleet.Users(after, limit-len(list))
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].WaID
		real, err := p.phones(r.Context(), wa.WaID(page[0].WaID), wa.WaID(after))
		if err != nil {
			return nil, err
		}
		for i := range page {
			if !real[wa.WaID(page[i].WaID)] {
				list = append(list, page[i])
			}
		}
	}
	return map[string]any{"data": list}, nil
}

// createUsers creates one user by phone, or count users whose numbers begin with prefix.
func createUsers(r *http.Request, p *platform) (any, error) {
	var in struct {
		Phone     string             `json:"phone"`
		Prefix    string             `json:"prefix"`
		Name      string             `json:"name"`
		Count     int                `json:"count"`
		Behaviour *virtual.Behaviour `json:"behaviour"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	var list []virtual.User
	switch {
	case in.Phone != "" && in.Count <= 1:
		id, err := wa.ParsePhone(in.Phone)
		if err != nil {
			return nil, badRequest("phone: %v", err)
		}
		list = []virtual.User{{WaID: string(id), Name: in.Name, Behaviour: in.Behaviour}}
	case in.Prefix != "" && in.Count >= 1 && in.Count <= maxBulk:
		var err error
		if list, err = bulk(strings.TrimPrefix(in.Prefix, "+"), in.Count, in.Name, in.Behaviour); err != nil {
			return nil, err
		}
	default:
		return nil, badRequest("want phone, or prefix and count up to %d", maxBulk)
	}
	last := list[len(list)-1].WaID
	real, err := p.phones(r.Context(), wa.WaID(list[0].WaID), wa.WaID(last))
	if err != nil {
		return nil, err
	}
	for _, u := range list {
		if real[wa.WaID(u.WaID)] {
			return nil, &controlError{http.StatusConflict, "+" + u.WaID + ": " + moved}
		}
		if _, business := p.rules.business.NumberByWaID(wa.WaID(u.WaID)); business {
			return nil, badRequest("+%s is a business number", u.WaID)
		}
	}
	if err := p.fleet.Add(r.Context(), list...); err != nil {
		return nil, userError(err)
	}
	return map[string]any{"created": len(list), "first": list[0].WaID, "last": last}, nil
}

// bulk numbers users behind a prefix, filled up to eleven digits or as many as count needs.
func bulk(prefix string, count int, name string, b *virtual.Behaviour) ([]virtual.User, error) {
	width := max(11-len(prefix), len(strconv.Itoa(count-1)))
	if !digitsOnly(prefix) || len(prefix)+width > 15 {
		return nil, badRequest("prefix: want digits, so that the whole number has at most 15")
	}
	list := make([]virtual.User, count)
	for i := range list {
		id := fmt.Sprintf("%s%0*d", prefix, width, i)
		n := name
		if n == "" {
			n = "User " + tail(id)
		}
		list[i] = virtual.User{WaID: id, Name: n, Behaviour: b}
	}
	return list, nil
}

// businessNumber takes a number in any form, or the id of one; empty is the starter number.
func (p *platform) businessNumber(s string) (string, error) {
	if s == "" {
		return string(p.plan.NumberWaID), nil
	}
	if n, ok := p.rules.business.Number(wa.PhoneNumberID(s)); ok {
		return string(n.WaID), nil
	}
	id, err := wa.ParsePhone(s)
	if err != nil {
		return "", badRequest("to: %v", err)
	}
	return string(id), nil
}
