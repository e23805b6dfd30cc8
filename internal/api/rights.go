package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The type names of error messages. Sources: spec/graph.md section 4.3; for numbers spec/errors.md section 6.
const (
	typeBusiness = "Business"
	typeWABA     = "WhatsAppBusinessAccount"
	typeNumber   = "WhatsAppBusinessPhoneNumber"
	typeTemplate = "WhatsAppBusinessHSM"

	typeFlow = "WhatsAppExtension"

	typeTemplateGroup = "WhatsAppBusinessHSMGroup"
	typeApp           = "Application"
	typeSystemUser    = "SystemUser"
	typePerson        = "User"

	typePreverified = "WhatsAppBusinessPreVerifiedPhoneNumber"
)

// endpoint names what a call wants.
type endpoint struct {
	method, kind, edge string
}

// right is what an endpoint asks for: any one of the scopes, and the task on the account. Neither is asked of endpoints
// that have a rule of their own in enter, or of everybody who sees the node.
type right struct {
	scopes []access.Scope
	task   access.Task
}

const (
	get    = http.MethodGet
	post   = http.MethodPost
	remove = http.MethodDelete
)

var (
	scopeM  = []access.Scope{access.Management}
	scopeS  = []access.Scope{access.Messaging}
	scopeB  = []access.Scope{access.BusinessManagement}
	scopeMB = []access.Scope{access.Management, access.BusinessManagement}
	scopeMS = []access.Scope{access.Management, access.Messaging}
)

// rights is the endpoint table of spec/access.md section 9.2. An endpoint that is missing here is refused.
var rights = map[endpoint]right{
	{get, kindBusiness, ""}:         {scopes: scopeB},
	{get, kindBusiness, edgeOwned}:  {scopes: scopeMB},
	{get, kindBusiness, edgeClient}: {scopes: scopeMB},
	{get, kindBusiness, edgeWABAs}:  {scopes: scopeMB},

	{get, kindWABA, ""}:                {scopeM, access.Develop},
	{get, kindWABA, edgeNumbers}:       {scopeM, access.ViewPhoneAssets},
	{get, kindWABA, edgeTemplates}:     {scopeM, access.ViewTemplates},
	{post, kindWABA, edgeTemplates}:    {scopeM, access.ManageTemplates},
	{remove, kindWABA, edgeTemplates}:  {scopeM, access.ManageTemplates},
	{post, kindWABA, edgeUpsert}:       {scopeM, access.ManageTemplates},
	{get, kindWABA, edgePreviews}:      {scopeM, access.ViewTemplates},
	{get, kindWABA, edgeLibrary}:       {scopeM, access.ViewTemplates},
	{post, kindWABA, edgeMigrate}:      {scopeM, access.ManageTemplates},
	{get, kindWABA, edgePerformance}:   {scopeM, access.ViewTemplates},
	{get, kindWABA, edgeConversations}: {scopeM, access.ViewInsights},
	{get, kindWABA, edgePricing}:       {scopeM, access.ViewInsights},
	{get, kindWABA, edgeTemplateStats}: {scopeM, access.ViewInsights},
	{get, kindWABA, edgeGroupedStats}:  {scopeM, access.ViewInsights},
	{get, kindWABA, edgeCallStats}:     {scopeM, access.ViewInsights},
	{get, kindWABA, edgeGroupStats}:    {scopeM, access.ViewInsights},
	{get, kindWABA, edgeSubscribed}:    {scopeM, access.Develop},
	{post, kindWABA, edgeSubscribed}:   {scopeM, access.Develop},
	{remove, kindWABA, edgeSubscribed}: {scopeM, access.Develop},

	{get, kindNumber, ""}:              {scopeMS, access.Develop},
	{post, kindNumber, ""}:             {scopeMS, access.Develop},
	{post, kindNumber, edgeRegister}:   {scopeS, access.ManagePhone},
	{post, kindNumber, edgeDeregister}: {scopeS, access.ManagePhone},
	{post, kindNumber, edgeMessages}:   {scopeS, access.MessagingTask},
	{post, kindNumber, edgeMarketing}:  {scopeS, access.MessagingTask},
	{post, kindNumber, edgeEncrypted}:  {scopeS, access.MessagingTask},
	{get, kindNumber, edgeHistory}:     {scopeS, access.MessagingTask},
	{get, kindHistory, ""}:             {scopeS, access.MessagingTask},
	{get, kindHistory, edgeEvents}:     {scopeS, access.MessagingTask},
	{get, kindNumber, edgeBlock}:       {scopeS, access.MessagingTask},
	{post, kindNumber, edgeBlock}:      {scopeS, access.MessagingTask},
	{remove, kindNumber, edgeBlock}:    {scopeS, access.MessagingTask},

	{get, kindTemplate, ""}:              {scopeM, access.ViewTemplates},
	{post, kindTemplate, ""}:             {scopeM, access.ManageTemplates},
	{get, kindTemplateGroup, ""}:         {scopeM, access.ViewTemplates},
	{post, kindTemplateGroup, ""}:        {scopeM, access.ManageTemplates},
	{remove, kindTemplateGroup, ""}:      {scopeM, access.ManageTemplates},
	{get, kindWABA, edgeTemplateGroups}:  {scopeM, access.ViewTemplates},
	{post, kindWABA, edgeTemplateGroups}: {scopeM, access.ManageTemplates},
	{post, kindTemplate, edgeUnpause}:    {scopeM, access.ManageTemplates},
	{get, kindTemplate, edgeCompare}:     {scopeM, access.ViewTemplates},

	{post, kindNumber, edgeMedia}: {scopeS, access.MessagingTask},
	{get, kindMedia, ""}:          {scopeS, access.MessagingTask},
	{remove, kindMedia, ""}:       {scopeS, access.MessagingTask},
	{post, kindApp, edgeUploads}:  {},
	{get, kindUpload, ""}:         {},
	{post, kindUpload, ""}:        {},

	{get, kindApp, ""}:                   {},
	{get, kindApp, edgeSubscriptions}:    {},
	{post, kindApp, edgeSubscriptions}:   {},
	{remove, kindApp, edgeSubscriptions}: {},
	{get, kindSystemUser, ""}:            {},
	{get, kindPerson, ""}:                {},
}

// scopes are those of an endpoint as the grammar wants them, for the check that needs no object.
func scopes(method, kind, edge string) []string {
	r := rights[endpoint{method, kind, edge}]
	out := make([]string, len(r.scopes))
	for i, s := range r.scopes {
		out[i] = string(s)
	}
	return out
}

// enter decides over a call on a node that the caller sees: gate 5 of spec/errors.md section 2.
func (s *surface) enter(_ context.Context, c *graph.Call, node any) error {
	e := endpoint{c.Method, c.Kind, c.Edge}
	r, ok := rights[e]
	if !ok {
		return wa.ErrPermission
	}
	switch v := node.(type) {
	case number:
		if err := refusal(c, e, r, who(c).May(asset(v.waba), r.task, r.scopes...), typeNumber); err != nil {
			return err
		}
		if err := s.writable(e, r, v.waba); err != nil || ownCalm[e] {
			return err
		}
		return calm(c, v)
	case *business.WABA:
		if err := refusal(c, e, r, who(c).May(asset(v), r.task, r.scopes...), typeWABA); err != nil {
			return err
		}
		if err := s.writable(e, r, v); err != nil {
			return err
		}
		return s.spend(c, v)
	case *template.Template:
		w, ok := s.o.Business.WABA(v.WABA)
		if !ok {
			return unsupported(c)
		}
		if err := refusal(c, e, r, who(c).May(asset(w), r.task, r.scopes...), typeTemplate); err != nil {
			return err
		}
		return s.writable(e, r, w)
	case *flow.Flow:
		return s.enterFlow(c, e, r, v)
	case mediaFile:
		return refusal(c, e, r, who(c).May(asset(v.waba), r.task, r.scopes...), typeMedia)
	case history:
		return refusal(c, e, r, who(c).May(asset(v.waba), r.task, r.scopes...), typeHistory)
	case *media.Session:
		return nil // it belongs to the token's app, see uploadNode
	case *template.Group:
		w, ok := s.o.Business.WABA(v.WABA)
		if !ok {
			return unsupported(c)
		}
		return refusal(c, e, r, who(c).May(asset(w), r.task, r.scopes...), typeTemplateGroup)
	case portfolio:
		switch e.edge {
		case edgePreverified, edgeAddNumbers, edgeSharePre:
			if err := enterPreverified(c, v.ID, typeBusiness); err != nil {
				return err
			}
		}
		if err := refusal(c, e, r, who(c).MayBusiness(v.ID, adminOnly[e], r.scopes...), typeBusiness); err != nil {
			return err
		}
		return s.spendCredit(c, e, v.ID)
	case *business.Preverified:
		return enterPreverified(c, v.Owner, typePreverified)
	case creditLine:
		if err := refusal(c, e, r, who(c).MayBusiness(v.owner.ID, adminOnly[e], r.scopes...), typeCredit); err != nil {
			return err
		}
		return s.spendCredit(c, e, v.owner.ID)
	case *business.Solution:
		return enterSolution(c, e, r, v)
	case intent:
		return refusal(c, e, r, who(c).May(asset(v.waba), r.task, r.scopes...), typeIntent)
	case allocation:
		if err := refusal(c, e, r, who(c).MayBusiness(v.owner.ID, adminOnly[e], r.scopes...), typeAllocation); err != nil {
			return err
		}
		return s.spendCredit(c, e, v.owner.ID)
	case *access.App:
		return enterApp(c, e, r, v)
	case *access.SystemUser:
		if string(v.ID) == who(c).Me() && !adminOnly[e] {
			return nil
		}
		r.scopes = scopeB
		return refusal(c, e, r, who(c).MayBusiness(v.Business, adminOnly[e], r.scopes...), typeSystemUser)
	case *access.Person: // people see nobody but themselves, see personNode
		if e.edge == edgeBusinesses && !who(c).Can(access.BusinessManagement) {
			return refusal(c, e, right{scopes: scopeB}, access.NoScope, typePerson)
		}
		return nil
	}
	return wa.ErrPermission
}

// ownFlows are writes that answer a row of their own for an account under a sanction, see mayFlows.
var ownFlows = []endpoint{{post, kindWABA, edgeFlows}, {post, kindWABA, edgeMigrateFlows}, {post, kindFlow, edgePublish}}

// writable refuses what changes an account under a sanction that takes writes: all that asks for whatsapp_business_management.
// Source: spec/quality.md section 5. Error: [wa.ErrPolicy].
func (s *surface) writable(e endpoint, r right, w *business.WABA) error {
	if e.method == get || !slices.Contains(r.scopes, access.Management) || slices.Contains(ownFlows, e) {
		return nil
	}
	if w.Sanction.InForce(s.o.Clock.Now()) && w.Sanction.Writes {
		return wa.ErrPolicy
	}
	return nil
}

// refusal turns a verdict into a row of the table; nil when the call is allowed.
func refusal(c *graph.Call, e endpoint, r right, v access.Verdict, typeName string) error {
	switch v {
	case access.Allowed:
		return nil
	case access.NoScope:
		names := make([]string, len(r.scopes))
		for i, s := range r.scopes {
			names[i] = string(s)
		}
		return wa.ErrScope.Titled("Requires %s permission to manage the object", strings.Join(names, " or "))
	case access.NoTask:
		switch {
		case e.edge == edgeMessages, e.edge == edgeMarketing, e.edge == edgeEncrypted:
			return wa.ErrSendPermission
		case e.method == get:
			return wa.ErrNodeAccess.Fill(typeName)
		case e == (endpoint{remove, kindBusiness, ""}): // ours; like the other conditions of a deletion, this one is named
			return wa.ErrNodeModify.Fill(typeName).User(wa.ErrNodeModify.UserTitle, notAdmin)
		}
		return wa.ErrNodeModify.Fill(typeName)
	case access.Invisible:
	}
	return unsupported(c) // it was visible a moment ago
}

// unsupported is the answer for what is not there, in the words of the grammar.
func unsupported(c *graph.Call) error {
	return wa.ErrUnsupportedRequest.Fill(strings.ToLower(c.Method), c.ID)
}

// mayList decides over an edge that is read inside another object. It was not entered on its own, so the account's tasks
// and the token's restrictions have not been looked at; whoever may not read it gets an empty list.
func mayList(c *graph.Call, w *business.WABA, edge string) bool {
	r := rights[endpoint{get, kindWABA, edge}]
	return who(c).May(asset(w), r.task, r.scopes...) == access.Allowed
}

// mayRead is mayList for the edges of a number.
func mayRead(c *graph.Call, n number, edge string) bool {
	r := rights[endpoint{get, kindNumber, edge}]
	return who(c).May(asset(n.waba), r.task, r.scopes...) == access.Allowed
}
