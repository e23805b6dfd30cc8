package contract

import (
	"fmt"
	"strings"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// group is a chapter of the documents.
type group struct{ title, about string }

// groups in their order; a call belongs to the first whose kinds and paths fit.
var groups = []group{
	{"Messages", "Sending, blocking, and what became of messages."},
	{"Media", "Files: uploads, descriptions, handles."},
	{"Templates", "Message templates, their groups and the library."},
	{"Phone numbers", "From a new number to its profile."},
	{"Accounts", "WhatsApp Business Accounts and their metrics."},
	{"Portfolios", "Business portfolios, partners, pre-verified numbers."},
	{"Access", "Apps, people, system users, tokens."},
	{"Flows", "Forms that people fill in, and their endpoints."},
	{"Grammar", "Calls that belong to no object."},
}

func groupOf(e graph.Endpoint) group {
	at := map[string]int{
		"template": 2, "template_group": 2, "phone_number": 3, "waba": 4, "business": 5, "preverified_number": 5, "credit_line": 5, "credit_allocation": 5, "solution": 5, "migration_intent": 5,
		"app": 6, "system_user": 6, "user": 6, "media": 1, "upload": 1, "flow": 7, "message_history": 0,
	}
	i, ok := at[e.Kind]
	switch {
	case e.Kind == "" && strings.HasPrefix(e.Path, "message_template"), e.Kind == "waba" && strings.Contains(e.Path, "template") && e.Path != "template_analytics":
		i = 2
	case e.Kind == "waba" && strings.HasSuffix(e.Path, "flows"):
		i = 7
	case e.Kind == "" && e.Path != "":
		i = 6
	case !ok:
		i = len(groups) - 1
	case e.Path == "media", e.Path == "uploads":
		i = 1
	case e.Kind == "phone_number" && (strings.HasPrefix(e.Path, "messages") || e.Path == "marketing_messages" || e.Path == "block_users" || e.Path == "message_history"):
		i = 0
	}
	return groups[i]
}

// String tells people what a call asks for.
func (r Right) String() string {
	var parts []string
	if r.Own != "" {
		parts = append(parts, r.Own)
	}
	if len(r.Scopes) > 0 {
		word := " or "
		if r.All {
			word = " and "
		}
		quoted := make([]string, len(r.Scopes))
		for i, s := range r.Scopes {
			quoted[i] = "`" + s + "`"
		}
		parts = append(parts, strings.Join(quoted, word))
	}
	if r.Task != "" {
		parts = append(parts, "task "+r.Task)
	}
	if r.Admin {
		parts = append(parts, "role ADMIN")
	}
	return strings.ReplaceAll(strings.Join(parts, ", "), "or, ", "or ")
}

// errorLine is a row of the table in short.
func errorLine(e *wa.Error) string {
	code := fmt.Sprint(e.Code)
	if e.Subcode != 0 {
		code += fmt.Sprintf("/%d", e.Subcode)
	}
	return code + " " + strings.NewReplacer("%s", "…", "%d", "…").Replace(e.Title)
}

func (c *Contract) components() components {
	out := components{
		Schemas: map[string]*Schema{
			"Paging": object(
				may("cursors", object(may("before", text, ""), may("after", text, "")), ""),
				may("next", link, "The next page."),
				may("previous", link, ""),
			),
			"Health": object(
				must("can_send_message", enum("AVAILABLE", "LIMITED", "BLOCKED"), "The worst of the entities."),
				must("entities", list(object(
					must("entity_type", enum("PHONE_NUMBER", "WABA", "BUSINESS", "APP", "MESSAGE_TEMPLATE"), ""),
					must("id", text, ""),
					must("can_send_message", enum("AVAILABLE", "LIMITED", "BLOCKED"), ""),
					may("additional_info", texts, ""),
					may("errors", list(object(must("error_code", whole, ""), must("error_description", text, ""), may("possible_solution", text, ""))), ""),
				)), ""),
			),
			"Error": object(must("error", object(
				must("message", text, "For people. Do not decide on it."),
				must("type", text, ""),
				must("code", whole, "What programs decide on."),
				may("error_subcode", whole, ""),
				may("error_data", &Schema{Type: []string{"object", "string"}}, "details, and what else the error has."),
				may("error_user_title", text, ""),
				may("error_user_msg", text, ""),
				may("is_transient", flag, "The same call may succeed later."),
				must("fbtrace_id", text, "Names this call in the server's log."),
			), "")),
		},
		Parameters: map[string]*parameter{
			"fields": {Name: "fields", In: "query", Description: "Names of fields with commas, nested as owner_business{id,name}; absent: those marked as default.", Schema: text},
			"limit":  {Name: "limit", In: "query", Description: "Items on a page; more than the most counts as the most.", Schema: whole},
			"after":  {Name: "after", In: "query", Description: "Cursor: the page behind it.", Schema: text},
			"before": {Name: "before", In: "query", Description: "Cursor: the page in front of it.", Schema: text},
		},
		Responses: map[string]*response{"Error": {
			Description: "What went wrong. Every code is in docs/errors.md.",
			Content:     map[string]media{"application/json": {Schema: ref("Error")}},
		}},
		SecuritySchemes: map[string]map[string]any{"token": {"type": "http", "scheme": "bearer", "description": "An access token."}},
	}
	for _, t := range c.Types {
		var members []Member
		for _, f := range t.Fields {
			says := f.Says
			if f.When == graph.ByDefault {
				says = strings.TrimSpace(says + " Default field.")
			}
			members = append(members, Member{f.Name, f.Type, f.When == graph.Always, says, ""})
		}
		s := object(members...)
		s.Description = t.About
		out.Schemas[t.Name] = s
	}
	return out
}
