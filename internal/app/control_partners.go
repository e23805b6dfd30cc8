package app

import (
	"net/http"
	"slices"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// decideCertification is what reviewers make of a partner's word about a client.
func decideCertification(r *http.Request, p *platform) (any, error) {
	var in struct {
		Decision business.CertificationStatus `json:"decision"`
		Reasons  []string                     `json:"reasons"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	known := !slices.ContainsFunc(in.Reasons, func(x string) bool { return !slices.Contains(business.CertificationReasons, x) })
	switch {
	case in.Decision == business.CertificationFailed && len(in.Reasons) > 0 && known:
	case (in.Decision == business.CertificationApproved || in.Decision == business.CertificationRevoked) && len(in.Reasons) == 0:
	default:
		return nil, badRequest("want decision APPROVED or REVOKED, or FAILED with some of the reasons %v", business.CertificationReasons)
	}
	x, err := p.rules.business.DecideCertification(r.Context(), r.PathValue("id"), in.Decision, in.Reasons)
	if err != nil {
		return nil, accountError(err)
	}
	for _, w := range p.rules.business.WABAs(x.Client) { // an account may have more or fewer templates now
		if err := p.rules.template.Hold(r.Context(), w.ID); err != nil {
			return nil, err
		}
	}
	return map[string]any{"id": x.ID, "verification_status": x.Status, "rejection_reasons": x.Reasons}, nil
}

// createApp makes an app of a portfolio, of a new one if need be, with a system user of it that administers the portfolio. Its secrets are shown this once.
func createApp(r *http.Request, p *platform) (any, error) {
	var in struct {
		Name     string        `json:"name"`
		Business wa.BusinessID `json:"business_id"`
		New      string        `json:"business_name"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.New != "" && in.Business == "" && in.Name != "" {
		if err := business.CheckPortfolioName(in.New); err != nil {
			return nil, accountError(err)
		}
		b, err := p.rules.business.CreatePortfolio(r.Context(), business.Portfolio{Name: in.New})
		if err != nil {
			return nil, err
		}
		in.Business = b.ID
	}
	if _, ok := p.rules.business.Portfolio(in.Business); !ok || in.Name == "" {
		return nil, badRequest("want name, and business_id of a portfolio that exists or business_name of a new one")
	}
	s := p.rules.access
	a, err := s.CreateApp(r.Context(), access.NewApp{Name: in.Name, Business: in.Business})
	if err != nil {
		return nil, err
	}
	secret, err := s.AppSecret(a.ID)
	if err != nil {
		return nil, err
	}
	all := s.SystemUsers(in.Business)
	var u *access.SystemUser
	if at := slices.IndexFunc(all, func(u *access.SystemUser) bool { return u.Role == access.Admin && u.Client == "" }); at >= 0 {
		u = all[at]
	} else if u, err = s.AddSystemUser(r.Context(), access.SystemUser{Business: in.Business, Name: in.Name, Role: access.Admin}); err != nil {
		return nil, accountError(err)
	}
	if err := s.Install(r.Context(), u.ID, a.ID); err != nil {
		return nil, err
	}
	token, _, err := s.Issue(r.Context(), access.TokenSpec{
		Type: access.SystemUserToken, App: a.ID, Actor: string(u.ID),
		Scopes: []access.Scope{access.Management, access.Messaging, access.BusinessManagement},
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": a.ID, "name": a.Name, "business_id": in.Business, "app_secret": secret.Reveal(), "system_user_id": u.ID, "access_token": token.Reveal()}, nil
}

// deleteNumber is what an administrator does in the pages of the real service, on its conditions.
func deleteNumber(r *http.Request, p *platform) (any, error) {
	var in struct {
		PIN string `json:"pin"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	id := wa.PhoneNumberID(r.PathValue("id"))
	if err := p.rules.business.RemoveNumber(r.Context(), id, in.PIN); err != nil {
		return nil, accountError(err)
	}
	n, _ := p.rules.business.Number(id)
	return numberAnswer(n, nil)
}
