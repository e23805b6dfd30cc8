// Package limits_test keeps the table of limits and its tests together: every limit of an endpoint or a resource has a row here,
// which names the tests that show it.
package limits_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// rows are the table of endpoint and resource limits that are enforced here. Source: spec/limits.md section 7; the vectors of the
// other sections are named by their tests. Scenarios are files of test/scenario.
var rows = []struct{ limit, tests string }{
	{"template creation: 100 an hour and account", "api.TestManagementBudget"},
	{"templates of an account: 250, or 6,000 with a verified portfolio and an approved name", "template.TestBounds api.TestTemplateSummary"},
	{"edits of approved templates: 1 in 24 hours, 10 in 30 days", "template.TestEdits"},
	{"the name of a deleted template: 30 days", "template.TestRemoval"},
	{"template names: 512 characters of a-z0-9_", "template.TestSubmitErrors"},
	{"registrations, and deregistrations: 10 in 72 hours, then blocked for 72", "business.TestTenRegistrationsIn72Hours business.TestRegistrationsAMovingWindow app.TestRestartInEveryWindow"},
	{"adding a deleted number again: 5 minutes", "business.TestAddNumberRefusals"},
	{"request_code: 10 in 72 hours, a minute apart", "business.TestLifeOfANumber api.TestCodesOfRecordsMadeAnew app.TestRestartInEveryWindow"},
	{"verify_code: 5 wrong codes, then 12 hours", "business.TestTooManyWrongCodes"},
	{"PIN: 10 wrong ones, then 12 hours", "business.TestTenWrongPINsLock"},
	{"numbers of a portfolio: 2, then 20", "business.TestAddNumberRefusals"},
	{"accounts of a portfolio: 20", "api.TestPortfolioFromNothing"},
	{"partners of an account: 2", "business.TestPartnersOfAnAccount"},
	{"short links of a number: 2,000", "business.TestTwoThousandShortLinks"},
	{"block list: 64,000, of people who wrote within 24 hours", "pipeline.TestBlocklist pipeline.TestLongestBlocklist"},
	{"conversational components: 30 commands, 4 ice breakers", "api.TestNumberEdges"},
	{"media ids: 30 days, of users' files 7 days; URLs 5 minutes", "media.TestLifetimes media.TestURLs"},
	{"sizes of media", "media.TestTypesAndSizes"},
	{"media by link: cached for 10 minutes by the link", "media.TestALinkIsFetchedOnceInTenMinutes"},
	{"life of messages", "pipeline.TestExpiry api.TestSendTypes"},
	{"customer service window: 24 hours", "pipeline.TestWindow app.TestWindowCloses"},
	{"text 4,096 characters, caption 1,024; biz_opaque_callback_data 512; 257 contacts; parts of interactive messages", "message.TestTypes"},
	{"typing indicator: until the answer, 25 seconds at most", "api.TestMark"},
	{"test numbers: five recipients", "business.TestRecipientsOfTestNumbers api.TestStrictRecipients"},
	{"test numbers: free, and outside the messaging limit", "policy.TestMessagingLimit policy.TestRefusedHoldsNothing app.TestNearlyFreeOfLimits"},
	{"override of callbacks: 200 characters", "webhook.TestLinksAndOverrides"},
	{"webhooks: 1,000 updates in one", "webhook.TestBatchesWhenTheQueueIsLong"},
	{"look-back of counts: a year, of templates 90 days and 10 templates", "api.TestMessagingAnalytics api.TestTemplateAnalytics"},
	{"throttled flows: 10 messages an hour", "flow.TestThrottle"},
	{"pages: 1 to 100, 25 by default", "graph.TestPagingSeesEveryItemOnce api.TestPagesOfNumbers"},
	{"batches: 50 calls", "graph.TestBatchFailures"},
}

// Every row names tests that exist.
func TestEveryRowHasItsTests(t *testing.T) {
	t.Parallel()
	known := map[string]map[string]bool{}
	for _, row := range rows {
		for name := range strings.FieldsSeq(row.tests) {
			room, test, _ := strings.Cut(name, ".")
			if known[room] == nil {
				known[room] = testsOf(t, room)
			}
			if !known[room][test] {
				t.Errorf("%s: there is no test %s", row.limit, name)
			}
		}
	}
}

func testsOf(t *testing.T, room string) map[string]bool {
	files, err := filepath.Glob(filepath.Join("..", "..", "internal", room, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("tests of %s: %v", room, err)
	}
	found := map[string]bool{}
	for _, f := range files {
		file, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for name := range declared(file) {
			found[name] = true
		}
	}
	return found
}
