package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Authenticator turns what a request presents into a caller.
type Authenticator interface {
	// Authenticate fails with a row: wa.ErrToken and its kin, wa.ErrProofInvalid, wa.ErrProofRequired. It may be called a
	// second time for one request, when the proof was in the body.
	Authenticate(ctx context.Context, cr Credentials) (Caller, error)
}

// Credentials are what a request presents. Token is never empty.
type Credentials struct {
	Token     string
	Proof     string // appsecret_proof
	ProofTime string // appsecret_time
	Addr      string // peer, for budgets on wrong tokens
}

// Carriers says where a token may be besides the Authorization header (spec/access.md 3.1). The zero value is the policy of
// the platform overview: nowhere. A token in a place that is not allowed counts as absent.
type Carriers struct {
	Query bool // access_token in the query string
	Form  bool // access_token in a form, multipart or JSON body
}

// ParseCarriers reads the setting access.token_carriers: "header" (also ""), "header+body" or "any". Source: spec/access.md
// section 3.1.
func ParseCarriers(setting string) (Carriers, error) {
	switch setting {
	case "", "header":
		return Carriers{}, nil
	case "header+body":
		return Carriers{Form: true}, nil
	case "any":
		return Carriers{Query: true, Form: true}, nil
	}
	return Carriers{}, fmt.Errorf("%q: want header, header+body or any", setting)
}

// authenticate finds the token and the caller. Precedence: header, body, query; two that differ are an error. anyCarrier
// lifts the policy for paths whose published form has the token in a parameter.
func (s *Server) authenticate(ctx context.Context, c *Call, anyCarrier bool) error {
	token, err := headerToken(c.req.Header)
	if err != nil {
		return err
	}
	allowed := s.opt.Carriers
	if anyCarrier {
		allowed = Carriers{true, true}
	}
	if q, ok := c.dropQuery("access_token"); ok && q != "" {
		if token, err = s.paramToken(c, "query", allowed.Query, token, q); err != nil {
			return err
		}
	}
	if c.itemToken != "" {
		if token, err = s.paramToken(c, "form", allowed.Form, token, c.itemToken); err != nil {
			return err
		}
	}
	if token == "" && allowed.Form && c.hasParamBody() {
		// Errors of the body wait for their gate; a token in front of them is still found when the body can be read.
		if err := c.readBody(s.opt.MaxBody); err == nil {
			token = c.creds.Token // bodyToken put it there
		}
	}
	if token == "" && c.outer != nil && c.outer.Caller != nil {
		c.Caller, c.creds = c.outer.Caller, c.outer.creds
		return nil
	}
	if token == "" {
		return wa.ErrTokenRequired
	}
	c.creds.Token, c.creds.Addr = token, c.req.RemoteAddr
	if p, ok := c.queryValue("appsecret_proof"); ok {
		c.creds.Proof = p
		c.creds.ProofTime, _ = c.queryValue("appsecret_time")
	}
	return s.identify(ctx, c)
}

func (s *Server) identify(ctx context.Context, c *Call) error {
	caller, err := s.opt.Auth.Authenticate(ctx, c.creds)
	if row := (*wa.Error)(nil); errors.As(err, &row) && row.Name == wa.ErrProofRequired.Name && c.creds.Proof == "" && c.hasParamBody() {
		if c.readBody(s.opt.MaxBody) == nil && c.bodyProof() {
			caller, err = s.opt.Auth.Authenticate(ctx, c.creds)
		}
	}
	if err != nil {
		return err
	}
	c.Caller = caller
	if v, ok := caller.(versioned); ok && c.askedRaw == "" && c.outer == nil && !v.DefaultVersion().IsZero() {
		c.Version, _ = s.opt.Versions.Resolve(v.DefaultVersion(), c.Start)
	}
	return nil
}

// bodyProof takes the proof from a body that has been read, and reports whether there was one.
func (c *Call) bodyProof() bool {
	p, err := c.Params.Get("appsecret_proof").StrOr("")
	if err != nil || p == "" {
		return false
	}
	c.creds.Proof = p
	c.creds.ProofTime = c.Params.Get("appsecret_time").String()
	return true
}

// paramToken weighs a token found in a parameter against the one found so far.
func (s *Server) paramToken(c *Call, carrier string, allowed bool, have, found string) (string, error) {
	if s.opt.Observer != nil {
		s.opt.Observer.TokenParam(carrier, allowed)
	}
	switch {
	case !allowed && c.outer != nil:
		return "", wa.ErrTokenRequired // the item meant another caller than that of the batch
	case !allowed || have == found:
		return have, nil
	case have != "":
		return "", Invalid("The access token is sent twice with different values")
	}
	c.paramAuth = carrier == "query"
	return found, nil
}

// headerToken reads the Authorization header. Schemes other than Bearer and OAuth carry no token of ours.
func headerToken(h http.Header) (string, error) {
	all := h["Authorization"]
	if len(all) == 0 {
		return "", nil
	}
	if len(all) > 1 {
		return "", Invalid("A request must not have more than one Authorization header")
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(all[0]), " ")
	if strings.EqualFold(scheme, "bearer") || strings.EqualFold(scheme, "oauth") {
		return strings.TrimSpace(token), nil
	}
	return "", nil
}

// hasParamBody reports whether the request has a body that is a parameter set by its type.
func (c *Call) hasParamBody() bool {
	if c.req.Body == nil || c.req.Body == http.NoBody || c.req.Method == http.MethodGet || c.req.Method == http.MethodHead {
		return false
	}
	kind, _, err := mediaType(c.req.Header.Get("Content-Type"))
	return err == nil && (kind != unknownBody || c.req.Header.Get("Content-Type") == "")
}

// bodyToken takes access_token out of a body that was just read.
func (s *Server) bodyToken(c *Call) error {
	v := c.Params.Get("access_token")
	if v.Kind() == KindAbsent {
		return nil
	}
	found := v.String()
	c.Params.d.drop("access_token")
	c.rawJSON = nil
	if found == "" {
		return nil
	}
	token, err := s.paramToken(c, "form", s.opt.Carriers.Form || c.anyCarrier, c.creds.Token, found)
	if err == nil {
		c.creds.Token = token
	}
	return err
}

// allowed reports whether the caller has any of the scopes.
func (c *Call) allowed(scopes []string) bool {
	if len(scopes) == 0 {
		return true
	}
	if c.Caller == nil {
		return false
	}
	return slices.ContainsFunc(scopes, c.Caller.HasScope)
}

// permit is allowed as an error: 200, HTTP 403.
func (c *Call) permit(scopes []string) error {
	if c.allowed(scopes) {
		return nil
	}
	return wa.ErrScope.Titled("Requires %s permission to manage the object", strings.Join(scopes, " or "))
}

// either is the first list that is not nil.
func either(lists ...[]string) []string {
	for _, l := range lists {
		if l != nil {
			return l
		}
	}
	return nil
}
