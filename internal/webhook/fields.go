package webhook

import (
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Object is the only object apps can subscribe to.
const Object = "whatsapp_business_account"

// FieldMessages is the field of inbound messages and statuses.
const FieldMessages = "messages"

// fields lists the field catalogue and whether a field follows overrides; all others go to the app's callback.
// Source: spec/webhooks.md sections 8 and 9.
var fields = map[string]bool{
	"account_alerts":                      false,
	"account_review_update":               false,
	"account_settings_update":             true,
	"account_update":                      false,
	"automatic_events":                    false,
	"business_capability_update":          false,
	"business_status_update":              false,
	"business_username_updates":           false,
	"calls":                               true,
	"consumer_profile":                    true,
	"flows":                               false,
	"group_lifecycle_update":              true,
	"group_participants_update":           true,
	"group_settings_update":               true,
	"group_status_update":                 true,
	"history":                             true,
	"message_echoes":                      true,
	"message_template_components_update":  false,
	"message_template_quality_update":     false,
	"message_template_status_update":      false,
	FieldMessages:                         true,
	"messaging_handovers":                 true,
	"partner_solutions":                   false,
	"payment_configuration_update":        false,
	"phone_number_name_update":            false,
	"phone_number_quality_update":         false,
	"security":                            false,
	"smb_app_state_sync":                  true,
	"smb_message_echoes":                  true,
	"standby":                             false,
	"template_category_update":            false,
	"template_correct_category_detection": false,
	"tracking_events":                     false,
	"user_id_update":                      false,
	"user_preferences":                    false,
}

// Fields returns the names of all fields, sorted.
func Fields() []string { return sortedKeys(fields) }

// FollowsOverrides says whether updates of the field go to override URLs.
func FollowsOverrides(field string) bool { return fields[field] }

// Field is one subscribed field.
type Field struct {
	Name    string
	Version string // "v23.0"; decides the payload's version
}

// legacy says whether statuses of a field subscribed with this version carry the conversation object.
func legacy(version string) bool {
	major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	n, err := strconv.Atoi(major)
	return err == nil && n <= lastWithConversation
}

// checkFields normalises names and fills in versions.
func checkFields(in []Field, version string) ([]Field, error) {
	out := make([]Field, 0, len(in))
	for _, f := range in {
		f.Name = strings.TrimSpace(f.Name)
		if f.Name == "business_username_update" { // both spellings are in use
			f.Name = "business_username_updates"
		}
		if _, ok := fields[f.Name]; !ok {
			return nil, wa.ErrParamOneOf.Fill("fields", strings.ToUpper(strings.Join(Fields(), ", ")), f.Name)
		}
		if f.Version == "" {
			f.Version = version
		}
		out = append(out, f)
	}
	return out, nil
}
