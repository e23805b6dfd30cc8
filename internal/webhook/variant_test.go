package webhook

import "testing"

// What is told of limits depends on the subscribed version. Source: spec/limits.md sections 1.4 and 3.3.
func TestVariants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ version, field, value, want string }{
		{"v23.0", "business_capability_update", `{"max_daily_conversations_per_business":"TIER_250"}`, `{"max_daily_conversations_per_business":250,"max_daily_conversation_per_phone":250}`},
		{"v22.0", "business_capability_update", `{"max_daily_conversations_per_business":"TIER_UNLIMITED"}`, `{"max_daily_conversations_per_business":-1,"max_daily_conversation_per_phone":-1}`},
		{"v24.0", "business_capability_update", `{"max_daily_conversations_per_business":"TIER_2K"}`, `{"max_daily_conversations_per_business":"TIER_2K"}`},
		{"v23.0", "business_capability_update", `{"max_daily_conversations_per_business":2000}`, `{"max_daily_conversations_per_business":2000}`},
		{"v23.0", "business_capability_update", `[1]`, `[1]`},
		{"v23.0", "business_capability_update", `{"a":`, `{"a":`},
		{"v23.0", "business_capability_update", `{}`, `{}`},
		{"v24.0", "phone_number_quality_update", `{"event":"ONBOARDING","old_limit":"TIER_50","current_limit":"TIER_250","x":1}`, `{"event":"ONBOARDING","old_limit":"TIER_50","current_limit":"TIER_250","x":1}`},
		{"v25.0", "phone_number_quality_update", `{"old_limit":"TIER_50","event":"ONBOARDING","current_limit":"TIER_250","x":{"current_limit":1}}`, `{"event":"ONBOARDING","x":{"current_limit":1}}`},
		{"v22.0", "account_update", `{"current_limit":"TIER_250"}`, `{"current_limit":"TIER_250"}`},
		{"", "phone_number_quality_update", `{"current_limit":"TIER_250"}`, `{}`},
	} {
		if got := string(variantOf(c.version).adapt(c.field, []byte(c.value))); got != c.want {
			t.Errorf("%s of %s, %s: %s, want %s", c.field, c.version, c.value, got, c.want)
		}
	}
	if !variantOf("v23.0").legacy() || variantOf("v24.0").legacy() {
		t.Error("the conversation object belongs to v23.0 and older")
	}
}

func FuzzVariant(f *testing.F) {
	f.Add([]byte(`{"max_daily_conversations_per_business":"TIER_2K","x":[{}]}`))
	f.Add([]byte(`{"current_limit":1,`))
	f.Fuzz(func(_ *testing.T, value []byte) {
		for v := range variants {
			v.adapt("business_capability_update", value)
			v.adapt("phone_number_quality_update", value)
		}
	})
}
