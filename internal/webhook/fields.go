package webhook

import (
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Object is the only object apps can subscribe to.
const Object = "whatsapp_business_account"

// FieldMessages is the field of inbound messages and statuses.
const FieldMessages = "messages"

// trait is what sets fields apart.
type trait uint8

const (
	// overridable fields go to override URLs, all others to the app's callback. Source: spec/webhooks.md section 8.
	overridable trait = 1 << iota
	// timed fields have entry.time. Source: spec/webhooks.md section 9.
	timed
	// headed fields begin with messaging_product and metadata. Source: spec/webhooks.md section 3.2.
	headed
)

// fields is the field catalogue. Source: spec/webhooks.md section 9; message_echoes, whose page is not public, is taken for
// a sibling of smb_message_echoes (section 23).
var fields = map[string]trait{
	"account_alerts":                      timed,
	"account_review_update":               timed,
	"account_settings_update":             overridable,
	"account_update":                      timed,
	"automatic_events":                    headed,
	"business_capability_update":          timed,
	"business_status_update":              timed,
	"business_username_updates":           timed,
	"calls":                               overridable | headed,
	"consumer_profile":                    overridable,
	"flows":                               timed,
	"group_lifecycle_update":              overridable | headed,
	"group_participants_update":           overridable | headed,
	"group_settings_update":               overridable | headed,
	"group_status_update":                 overridable | headed,
	"history":                             overridable | headed,
	"message_echoes":                      overridable | headed,
	"message_template_components_update":  timed,
	"message_template_quality_update":     timed,
	"message_template_status_update":      timed,
	FieldMessages:                         overridable | headed,
	"messaging_handovers":                 overridable,
	"partner_solutions":                   timed,
	"payment_configuration_update":        timed,
	"phone_number_name_update":            timed,
	"phone_number_quality_update":         timed,
	"security":                            timed,
	"smb_app_state_sync":                  overridable | headed,
	"smb_message_echoes":                  overridable | headed,
	"standby":                             headed,
	"template_category_update":            timed,
	"template_correct_category_detection": timed,
	"tracking_events":                     headed,
	"user_id_update":                      headed,
	"user_preferences":                    headed,
}

// Fields returns the names of all fields, sorted.
func Fields() []string { return sortedKeys(fields) }

// FollowsOverrides says whether updates of the field go to override URLs.
func FollowsOverrides(field string) bool { return fields[field]&overridable != 0 }

// Known says whether there is such a field.
func Known(field string) bool { _, ok := fields[field]; return ok }

// Headed says whether values of the field begin with the number they belong to.
func Headed(field string) bool { return fields[field]&headed != 0 }

// Timed says whether entries of the field have a time.
func Timed(field string) bool { return fields[field]&timed != 0 }

// Field is one subscribed field.
type Field struct {
	Name    string
	Version string // "v23.0"; decides the payload's version
}

// checkFields normalises names and fills in versions. A version decides the form of payloads, so it is one that was released;
// one that has expired still has its form.
func (s *Service) checkFields(in []Field) ([]Field, error) {
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
			f.Version = s.o.Version
		}
		if len(s.o.Versions) > 0 && !slices.Contains(s.o.Versions, f.Version) {
			return nil, wa.ErrParamOneOf.Fill("version", strings.Join(s.o.Versions, ", "), f.Version)
		}
		out = append(out, f)
	}
	return out, nil
}
