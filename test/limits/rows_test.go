// Package limits_test keeps the table of limits and its tests together: every limit of an endpoint or a resource has a row here,
// which names the tests that show it.
package limits_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
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

// vectors are those of the other sections, with the tests that replay them. Source: spec/limits.md, spec/quality.md.
var vectors = []struct{ limit, tests string }{
	{"T1 to T11, T13: throughput", "limits.TestThroughputVectors pipeline.TestThroughput pipeline.TestNumbersDoNotShareThroughput app.TestThroughputOfManyClients"},
	{"T12: malformed messages at the limit; test/scenario/limits.txtar says it byte for byte", "limits.TestRefusedRequestsDoNotCount"},
	{"throughput: no schedule goes beyond it, nothing refused counts", "limits.TestNeverMoreThanTheLevelInAnySecond limits.TestBucketAgainstModel pipeline.TestSyncOverrides"},
	{"throughput over a restart", "pipeline.TestThroughputSurvivesRestart"},
	{"U1 to U6: upgrades", "limits.TestUpgradeVectors policy.TestUpgrade policy.TestAnUpgradeEndsByItself pipeline.TestInboundWaitsForAnUpgrade"},
	{"P1 to P12: pairs; the table of retries", "limits.TestPairVectors limits.TestPairsDoNotShareState limits.TestRetryTable pipeline.TestPair app.TestPairLimit"},
	{"pairs: no schedule goes beyond them, nothing refused counts", "limits.TestPairInvariant"},
	{"M1 to M9: messaging limit", "limits.TestReachVectors policy.TestMessagingLimit policy.TestReservation policy.TestLimitIsRaisedAndLowered"},
	{"M10 to M14: raises", "limits.TestRaiseVectors policy.TestRaise policy.TestScaleDelay policy.TestDeniedRaise"},
	{"messaging limit: no schedule goes beyond it, nothing refused counts, a million people", "limits.TestReachAgainstModel limits.TestReachFromManyLanes limits.TestReachMemory limits.TestReachAfterRestart"},
	{"marketing cap: two, then a window, then a day", "policy.TestMarketing limits.TestMarketCap limits.TestMarketCapAgainstModel app.TestAdaptiveCap"},
	{"pacing of templates and portfolios", "policy.TestPaceCounts policy.TestPaceVerdicts policy.TestPortfolioBatches policy.TestPortfolioVerdicts app.TestPacing app.TestPortfolioPacing"},
	{"G1 to G8: management calls", "limits.TestBudgetVectors limits.TestBudgetInvariant api.TestManagementBudget"},
	{"calls of an app", "api.TestAppUsage"},
	{"guesses and codes: no schedule goes beyond them", "business.TestCodesAgainstModel business.TestTenWrongPINsLock business.TestTooManyWrongCodes"},
	{"W1 to W5: webhooks", "webhook.TestW1DeliveredOnce webhook.TestW2TwoFailuresThenDelivered webhook.TestW3W4SevenDays webhook.TestW5SlowReceiverGetsBatches"},
	{"Q1 to Q12: scores", "quality.TestScoreVectors"},
	{"Q13 to Q15: points", "quality.TestPoints pipeline.TestFeedbackIsAttributed"},
	{"QC1: ratings without delay", "policy.TestRating"},
	{"QC2, QC3: pauses of templates", "template.TestPauseLadder"},
	{"QC4: marketing that nobody wants", "policy.TestMarketing pipeline.TestOptOut"},
	{"QC5: blocks", "app.TestActionsOfUsers"},
	{"QC7: the same events, the same ratings", "policy.TestSameEventsSameRatings"},
	{"the ladder of enforcement and its webhooks", "policy.TestLadder policy.TestClimb policy.TestAppeal policy.TestSanctionOfANumber"},
	{"restrictions by country and for misused categories", "pipeline.TestClosedCountry policy.TestMisuse"},
	{"a restart in every window", "app.TestRestartInEveryWindow"},
}

// Every row names tests that exist.
func TestEveryRowHasItsTests(t *testing.T) {
	t.Parallel()
	known := map[string]map[string]bool{}
	for _, row := range slices.Concat(rows, vectors) {
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
