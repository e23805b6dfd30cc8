package app

import (
	"net/http"
	"slices"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// closeCountries says to people of which countries an account may not write; none opens all again.
func closeCountries(r *http.Request, p *platform) (any, error) {
	var in struct {
		Closed []string `json:"closed"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if len(in.Closed) > maxCountries || slices.ContainsFunc(in.Closed, func(iso string) bool { return wa.CallingCodeOf(iso) == 0 }) {
		return nil, badRequest("closed: want countries of ISO 3166, such as TR")
	}
	w, err := p.rules.business.Close(r.Context(), wa.WABAID(r.PathValue("id")), in.Closed)
	if err != nil {
		return nil, accountError(err)
	}
	return map[string]any{"id": w.ID, "closed": w.Closed}, nil
}

const maxCountries = 300

// forgive forgets that an account sold marketing as utility.
func forgive(r *http.Request, p *platform) (any, error) {
	w, err := p.rules.business.Forgive(r.Context(), wa.WABAID(r.PathValue("id")))
	if err != nil {
		return nil, accountError(err)
	}
	return map[string]any{"id": w.ID, "misuse": w.Misuse.Times}, nil
}

// setCertificate breaks the certificate of a number's registration, or mends it.
func setCertificate(r *http.Request, p *platform) (any, error) {
	var in struct {
		Broken bool `json:"broken"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	n, err := p.rules.business.UpdateNumber(r.Context(), wa.PhoneNumberID(r.PathValue("id")), func(n *business.Number) error {
		n.Stale = in.Broken
		return nil
	})
	if err != nil {
		return nil, accountError(err)
	}
	return map[string]any{"id": n.ID, "broken": n.Stale}, nil
}
