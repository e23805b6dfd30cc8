package api

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// The edges of a number.
const (
	edgeRegister   = "register"
	edgeDeregister = "deregister"
	edgeMessages   = "messages"
	edgeMarketing  = "marketing_messages"
	edgeEncrypted  = "messages_encrypted"
	edgeBlock      = "block_users"
	edgeHistory    = "message_history"

	edgeRequestCode = "request_code"
	edgeVerifyCode  = "verify_code"
	edgeSettings    = "settings"
	edgeProfile     = "whatsapp_business_profile"
	edgeAutomation  = "conversational_automation"
	edgeQR          = "message_qrdls"
	edgeEncryption  = "whatsapp_business_encryption"
	edgeCommerce    = "whatsapp_commerce_settings"
	edgeCompliance  = "business_compliance_info"
	edgeOfficial    = "official_business_account"
	edgeUsername    = "username"
	edgeSuggestions = "username_suggestions"
	edgeRecipients  = "allowed_recipients"
)

// number is a phone number together with the account that owns it.
type number struct {
	*business.Number
	waba *business.WABA
}

// numberNode is /{phone-number-id}. Source: spec/phone_numbers.md section 2.
func (s *surface) numberNode() graph.Node[number] {
	action := func(edge string, do func(context.Context, *graph.Call, number) (any, error)) *graph.Action[number] {
		return &graph.Action[number]{Scopes: scopes(post, kindNumber, edge), Do: do}
	}
	return graph.Node[number]{
		Kind: kindNumber, Name: typeNumber, Scopes: scopes(get, kindNumber, ""), Load: s.loadNumber, Fields: s.numberFields(),
		Post: action("", s.updateNumber),
		Edges: append([]graph.Edge[number]{
			{Name: edgeMessages, Post: action(edgeMessages, s.send)},
			{Name: edgeMedia, Post: &graph.Action[number]{
				Scopes: scopes(post, kindNumber, edgeMedia), MaxBody: media.MaxSize + maxForm, Do: s.uploadMedia,
			}},
			{Name: edgeMarketing, Post: action(edgeMarketing, s.sendMarketing)},
			{Name: edgeEncrypted, Post: action(edgeEncrypted, s.sendEncrypted)},
			s.blockEdge(),
			s.historyEdge(),
			{Name: edgeRegister, Post: action(edgeRegister, s.register)},
			{Name: edgeDeregister, Post: action(edgeDeregister, s.deregister)},
			{Name: edgeRequestCode, Post: action(edgeRequestCode, s.requestCode)},
			{Name: edgeVerifyCode, Post: action(edgeVerifyCode, s.verifyCode)},
			s.settingsEdge(), s.profileEdge(), s.automationEdge(), s.qrEdge(), s.encryptionEdge(), s.commerceEdge(), s.complianceEdge(),
			{
				Name: edgeOfficial, NotField: true, Scopes: scopes(get, kindNumber, edgeOfficial), Post: action(edgeOfficial, s.applyOfficial),
				Get: func(_ context.Context, _ *graph.Call, n number) (any, error) {
					return append(officialStatus(n), graph.KV{K: "id", V: string(n.ID)}), nil
				},
			},
			s.usernameEdge(), s.suggestionsEdge(), s.recipientsEdge(),
		}, refusedEdges()...),
	}
}

// loadNumber finds deleted numbers too: sends from them have an answer of their own (33).
func (s *surface) loadNumber(_ context.Context, c *graph.Call, id string) (number, error) {
	n, ok := s.o.Business.Number(wa.PhoneNumberID(id))
	if !ok {
		return number{}, graph.ErrInvisible
	}
	w, ok := s.o.Business.WABA(n.WABA)
	if !ok || !who(c).SeesWABA(asset(w)) {
		return number{}, graph.ErrInvisible
	}
	return number{n, w}, nil
}

func (s *surface) numberFields() []graph.Field[number] {
	fields := []graph.Field[number]{
		{Name: "verified_name", When: graph.ByDefault, Get: func(n number) any { return graph.NonEmpty(n.VerifiedName) }},
		{Name: "code_verification_status", When: graph.ByDefault, Get: func(n number) any { return graph.NonEmpty(n.CodeVerification) }},
		{Name: "display_phone_number", When: graph.ByDefault, Get: func(n number) any { return graph.NonEmpty(n.Display) }},
		{Name: "quality_rating", When: graph.ByDefault, Get: func(n number) any { return graph.NonEmpty(s.rating(n)) }},
		{Name: "platform_type", When: graph.ByDefault, Get: func(n number) any { return graph.NonEmpty(n.Platform) }},
		{Name: "throughput", When: graph.ByDefault, Get: func(n number) any { return throughput(n) }},
		{Name: "last_onboarded_time", When: graph.ByDefault, Get: func(n number) any { return moment(n.LastOnboarded) }},
		{Name: "webhook_configuration", When: graph.ByDefault, Ask: func(_ context.Context, c *graph.Call, n number, _ graph.Item) (any, error) {
			return s.callbacks(c, n), nil
		}},
		{Name: "id", When: graph.Always, Get: func(n number) any { return string(n.ID) }},
		{Name: "name_status", Get: func(n number) any { return graph.NonEmpty(n.NameStatus) }},
		{Name: "new_display_name", Get: func(n number) any { return graph.NonEmpty(n.NewName) }},
		{Name: "new_name_status", Get: func(n number) any { return graph.NonEmpty(n.NewNameStatus) }},
		{Name: "status", Get: func(n number) any { return graph.NonEmpty(s.status(n)) }},
		{Name: "quality_score", Get: func(n number) any { return qualityScore(n) }},
		{Name: "account_mode", Get: func(n number) any { return graph.NonEmpty(n.Mode) }},
		{Name: fieldLimit, Get: func(n number) any { return graph.NonEmpty(s.tier(n.waba.Owner)) }},
		{Name: "messaging_limit_tier", Get: func(n number) any { return graph.NonEmpty(oldTier(s.tier(n.waba.Owner))) }},
		{Name: "is_official_business_account", Get: func(n number) any { return n.Official }},
		{Name: edgeOfficial, Get: func(n number) any { return officialStatus(n) }},
		{Name: edgeUsername, Get: func(n number) any { return graph.NonEmpty(n.Username) }},
		{Name: edgeAutomation, Sub: automationObject(), Get: func(n number) any {
			if n.Automation == nil {
				return nil
			}
			return n
		}},
		{Name: "is_pin_enabled", Get: func(n number) any { return n.PIN.Enabled() }},
		{Name: "is_on_biz_app", Get: func(n number) any { return n.OnBizApp }},
		{Name: "is_preverified_number", Get: func(n number) any { return n.Preverified }},
		{Name: "search_visibility", Get: func(n number) any { return visibility(n) }},
		{Name: "health_status", Ask: func(_ context.Context, c *graph.Call, n number, _ graph.Item) (any, error) {
			return health(c, numberHealth(n, c.Start, s.full(n)), s.wabaHealth(n.waba)), nil
		}},
		{Name: edgeSettings, Get: func(n number) any { return settings(n) }},
		{Name: "country_code", Get: func(n number) any { return graph.NonEmpty(n.CountryCode) }},
		{Name: "country_dial_code", Get: func(n number) any { return graph.NonEmpty(n.DialCode) }},
	}
	return append(fields, absent[number]("certificate", "new_certificate", "eligibility_for_api_business_global_search")...)
}

// full reports whether the messaging limit of the number's portfolio is used up, which concerns no test number.
func (s *surface) full(n number) bool {
	return s.o.Full != nil && n.Mode != business.Sandbox && s.o.Full(n.Business, s.o.Clock.Now().UnixMilli())
}

// status is RESTRICTED while only replies are possible; FLAGGED is historic and shown where it is asked for. Source:
// spec/quality.md section 2.
func (s *surface) status(n number) business.NumberStatus {
	state := n.State(n.waba, s.o.Clock.Now(), s.full(n))
	if s.o.LegacyFlagged && state == business.NumberConnected && n.Quality == business.QualityRed {
		return business.NumberFlagged
	}
	return state
}

// rating is quality_rating, of which samples of the real service show two words for none. Source: spec/quality.md section 1.
func (s *surface) rating(n number) string {
	if n.Quality == business.QualityUnknown && s.o.Unrated != "" {
		return s.o.Unrated
	}
	return string(n.Quality)
}

// throughput is {level}; a number that is not registered has none (spec/phone_numbers.md section 7).
func throughput(n number) graph.Obj {
	level := n.Level
	if !n.Registered || level == "" {
		level = business.LevelNotAvailable
	}
	return graph.Obj{{K: "level", V: string(level)}}
}

func qualityScore(n number) graph.Obj {
	out := graph.Obj{{K: "score", V: string(n.Quality)}}
	if !n.QualityAt.IsZero() {
		out = append(out, graph.KV{K: "date", V: n.QualityAt.Unix()})
	}
	return out
}

// oldTier is the deprecated field of a number, whose second step was a thousand users.
func oldTier(t business.Tier) business.Tier {
	switch t {
	case business.Tier2K:
		return "TIER_1K"
	case business.Untiered:
		return ""
	default:
		return t
	}
}

func officialStatus(n number) graph.Obj {
	o := n.OfficialState()
	return graph.Obj{{K: "oba_status", V: string(o.Status)}, {K: "status_message", V: graph.NonEmpty(o.Message)}}
}

const (
	visible   = "VISIBLE"
	invisible = "NON_VISIBLE"
)

func visibility(n number) string {
	if n.SearchHidden {
		return invisible
	}
	return visible
}

// callbacks is webhook_configuration of the caller's app, nil when nothing is set.
func (s *surface) callbacks(c *graph.Call, n number) any {
	cb := s.o.Webhooks.Callbacks(who(c).App(), n.waba.ID, n.ID)
	if cb == (webhook.Callbacks{}) {
		return nil
	}
	return graph.Obj{
		{K: "phone_number", V: graph.NonEmpty(cb.Number)},
		{K: "whatsapp_business_account", V: graph.NonEmpty(cb.WABA)},
		{K: "application", V: graph.NonEmpty(cb.App)},
	}
}
