package app

import (
	"errors"
	"net/http"
	"slices"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// accountRoutes are what reviewers and administrators do in the pages of the real service.
func accountRoutes(handle func(string, controlHandler)) {
	handle("POST /control/v1/numbers/{id}/name", decideName)
	handle("POST /control/v1/numbers/{id}/official", decideOfficial)
	handle("POST /control/v1/numbers/{id}/two_step", func(r *http.Request, p *platform) (any, error) {
		n, err := p.rules.business.DisablePIN(r.Context(), wa.PhoneNumberID(r.PathValue("id")))
		return numberAnswer(n, err)
	})
	handle("POST /control/v1/numbers/{id}/shards", setShards)
	handle("POST /control/v1/numbers/{id}/phone_app", setPhoneApp)
	handle("POST /control/v1/numbers/{id}/storage", grantStorage)
	handle("POST /control/v1/numbers/{id}/delete", deleteNumber)
	handle("POST /control/v1/wabas/{id}/review", decideReview)
	handle("POST /control/v1/wabas/{id}/standing", setStanding)
	handle("POST /control/v1/wabas/{id}/payment", setPayment)
	handle("GET /control/v1/wabas/{id}/balance", showBalance)
	handle("POST /control/v1/wabas/{id}/balance", payIn)
	handle("POST /control/v1/wabas/{id}/countries", closeCountries)
	handle("DELETE /control/v1/wabas/{id}/misuse", forgive)
	handle("POST /control/v1/numbers/{id}/certificate", setCertificate)
	handle("POST /control/v1/portfolios/{id}", setPortfolio)
	handle("POST /control/v1/portfolios/{id}/location", setLocation)
	handle("POST /control/v1/portfolios/{id}/international", setInternational)
	handle("GET /control/v1/wabas/{id}/ledger", showLedger)
	handle("GET /control/v1/wabas/{id}/invoice", showInvoice)
	handle("POST /control/v1/certifications/{id}", decideCertification)
	handle("POST /control/v1/apps", createApp)
	handle("POST /control/v1/people", createPerson)
	handle("POST /control/v1/apps/{id}", setApp)
}

// accountError gives refusals of the rooms their status.
func accountError(err error) error {
	var row *wa.Error
	switch {
	case errors.Is(err, business.ErrUnknown), errors.Is(err, access.ErrUnknown):
		return notFound("%v", err)
	case errors.As(err, &row):
		return badRequest("%s", inWords(err))
	}
	return err
}

func numberAnswer(n *business.Number, err error) (any, error) {
	if err != nil {
		return nil, accountError(err)
	}
	out := numberJSON(n)
	out["name_status"], out["new_name_status"], out["oba_status"] = n.NameStatus, n.NewNameStatus, n.OfficialState().Status
	return out, nil
}

func decideName(r *http.Request, p *platform) (any, error) {
	var in struct {
		Decision string             `json:"decision"`
		Reason   business.Rejection `json:"reason"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	switch {
	case in.Decision == "APPROVED" && in.Reason == "":
	case in.Decision == "REJECTED" && in.Reason == "":
		in.Reason = "UNKNOWN"
	case in.Decision == "REJECTED" && slices.Contains(business.Rejections, in.Reason):
	default:
		return nil, badRequest("want decision APPROVED, or REJECTED with one of the reasons %v", business.Rejections)
	}
	n, err := p.rules.business.DecideName(r.Context(), wa.PhoneNumberID(r.PathValue("id")), in.Reason)
	return numberAnswer(n, err)
}

func decideOfficial(r *http.Request, p *platform) (any, error) {
	var in struct {
		Decision string `json:"decision"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Decision != "APPROVED" && in.Decision != "REJECTED" {
		return nil, badRequest("want decision APPROVED or REJECTED")
	}
	n, err := p.rules.business.DecideOfficial(r.Context(), wa.PhoneNumberID(r.PathValue("id")), in.Decision == "APPROVED")
	return numberAnswer(n, err)
}

// setPhoneApp says whether a number is also used in the phone app, which holds it at 20 messages a second.
func setPhoneApp(r *http.Request, p *platform) (any, error) {
	var in struct {
		Used *bool `json:"used"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Used == nil {
		return nil, badRequest("want used, true or false")
	}
	n, err := p.rules.business.UpdateNumber(r.Context(), wa.PhoneNumberID(r.PathValue("id")), func(n *business.Number) error {
		n.OnBizApp = *in.Used
		return nil
	})
	return numberAnswer(n, err)
}

// setShards makes a number one that ran on its owner's servers, with that many shards.
func setShards(r *http.Request, p *platform) (any, error) {
	var in struct {
		Shards int `json:"shards"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Shards < 1 {
		return nil, badRequest("want shards, 1 or more")
	}
	n, err := p.rules.business.UpdateNumber(r.Context(), wa.PhoneNumberID(r.PathValue("id")), func(n *business.Number) error {
		if n.Registered {
			return wa.ErrValue.User("", "The number is registered here already.")
		}
		n.Platform, n.MultiConnect = business.OnPremise, in.Shards > 1
		return nil
	})
	return numberAnswer(n, err)
}

// grantStorage says whether a number may be without storage: its business then asks for it by the settings.
func grantStorage(r *http.Request, p *platform) (any, error) {
	var in struct {
		Granted *bool `json:"no_storage"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Granted == nil {
		return nil, badRequest("want no_storage, true or false")
	}
	n, err := p.rules.business.UpdateNumber(r.Context(), wa.PhoneNumberID(r.PathValue("id")), func(n *business.Number) error {
		if !n.Live() {
			return wa.ErrNumberDeleted
		}
		n.NoStorageGranted = *in.Granted
		return nil
	})
	out, err := numberAnswer(n, err)
	if err == nil {
		out.(map[string]any)["no_storage"] = map[string]bool{"granted": n.NoStorageGranted, "enabled": n.NoStorage()}
	}
	return out, err
}

func wabaAnswer(w *business.WABA, err error) (any, error) {
	if err != nil {
		return nil, accountError(err)
	}
	return map[string]any{"id": w.ID, "account_review_status": w.Review, "status": w.Status, "locked": w.Locked, "restricted": w.Restricted}, nil
}

func decideReview(r *http.Request, p *platform) (any, error) {
	var in struct {
		Decision business.Review `json:"decision"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Decision != business.ReviewApproved && in.Decision != business.ReviewRejected && in.Decision != business.ReviewPending {
		return nil, badRequest("want decision APPROVED, REJECTED or PENDING")
	}
	w, err := p.rules.business.DecideReview(r.Context(), wa.WABAID(r.PathValue("id")), in.Decision)
	return wabaAnswer(w, err)
}

func setStanding(r *http.Request, p *platform) (any, error) {
	var in struct {
		Standing business.Standing `json:"standing"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	known := []business.Standing{business.StandingGood, business.StandingLocked, business.StandingBlocked, business.StandingDisabled}
	if !slices.Contains(known, in.Standing) {
		return nil, badRequest("want standing, one of %v", known)
	}
	w, err := p.rules.business.SetStanding(r.Context(), wa.WABAID(r.PathValue("id")), in.Standing)
	return wabaAnswer(w, err)
}

func setPortfolio(r *http.Request, p *platform) (any, error) {
	var in struct {
		Verification business.Verification `json:"verification"`
		Credit       string                `json:"credit_line"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	id, s := wa.BusinessID(r.PathValue("id")), p.rules.business
	if in.Verification == "" && in.Credit == "" || in.Verification != "" && !slices.Contains(business.Verifications, in.Verification) {
		return nil, badRequest("want verification, one of %v, or the legal name of a credit_line", business.Verifications)
	}
	b, ok := s.Portfolio(id)
	if !ok {
		return nil, notFound("no portfolio %s", id)
	}
	var err error
	if in.Credit != "" {
		if b, err = s.OpenCredit(r.Context(), id, in.Credit); err != nil {
			return nil, accountError(err)
		}
	}
	if in.Verification != "" {
		if b, err = s.SetVerification(r.Context(), id, in.Verification); err != nil {
			return nil, accountError(err)
		}
		for _, w := range s.WABAs(id) { // an account may have more or fewer templates now
			if err := p.rules.template.Hold(r.Context(), w.ID); err != nil {
				return nil, err
			}
		}
	}
	out := map[string]any{"id": b.ID, "verification_status": b.Verification, "messaging_limit": b.MessagingLimit, "max_phone_numbers": b.MaxNumbers()}
	if b.Credit != nil {
		out["credit_line_id"] = b.Credit.ID
	}
	return out, nil
}

// setPayment attaches a payment method to an account or takes it away, and lets charging it fail.
func setPayment(r *http.Request, p *platform) (any, error) {
	var in struct {
		Attached *bool `json:"attached"`
		Problem  *bool `json:"problem"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Attached == nil && in.Problem == nil {
		return nil, badRequest("want attached or problem, true or false")
	}
	w, err := p.rules.business.SetPayment(r.Context(), wa.WABAID(r.PathValue("id")), in.Attached, in.Problem)
	if err != nil {
		return nil, accountError(err)
	}
	return map[string]any{"id": w.ID, "primary_funding_id": w.FundingID, "payment_problem": w.PaymentProblem}, nil
}

// createPerson makes somebody who can use the log-in dialog; without a portfolio, a member of the starter one.
func createPerson(r *http.Request, p *platform) (any, error) {
	var in struct {
		Name     string        `json:"name"`
		Email    string        `json:"email"`
		Password string        `json:"password"`
		Role     access.Role   `json:"role"`
		Business wa.BusinessID `json:"business_id"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Business == "" {
		in.Business = p.plan.BusinessID
	}
	if in.Role == "" {
		in.Role = access.Admin
	}
	if _, ok := p.rules.business.Portfolio(in.Business); !ok || in.Name == "" || in.Email == "" || (in.Role != access.Admin && in.Role != access.Employee) {
		return nil, badRequest("want name, email, password, and of a portfolio that exists the role ADMIN or EMPLOYEE")
	}
	who, err := p.rules.access.CreatePerson(r.Context(), access.Person{
		Name: in.Name, Email: in.Email, Member: []access.Membership{{Business: in.Business, Role: in.Role}},
	})
	if err != nil {
		return nil, err
	}
	if err := p.rules.access.SetPassword(r.Context(), who.ID, in.Password); err != nil {
		return nil, badRequest("%v", err)
	}
	return map[string]any{"id": who.ID, "name": who.Name}, nil
}

// setApp declares where an app's log-in dialog may send people, and its mode.
func setApp(r *http.Request, p *platform) (any, error) {
	var in struct {
		Redirects *[]string       `json:"redirect_uris"`
		Mode      access.AppMode  `json:"mode"`
		Advanced  *[]access.Scope `json:"advanced_access"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	if in.Mode != "" && in.Mode != access.Development && in.Mode != access.LiveMode {
		return nil, badRequest("want mode development or live")
	}
	a, err := p.rules.access.UpdateApp(r.Context(), wa.AppID(r.PathValue("id")), func(a *access.App) error {
		if in.Redirects != nil {
			a.Redirects = *in.Redirects
		}
		if in.Advanced != nil {
			a.Advanced = *in.Advanced
		}
		if in.Mode != "" {
			a.Mode = in.Mode
		}
		return nil
	})
	if err != nil {
		return nil, accountError(err)
	}
	return map[string]any{"id": a.ID, "name": a.Name, "mode": a.Mode, "redirect_uris": a.Redirects, "advanced_access": a.Advanced}, nil
}
