// Package scenario plays a file of steps against a running sandbox: people, campaigns, what people make of them, the passing
// of days, and what must come of it. It is a client like any other: it calls the Graph API and the control API, receives
// webhooks, and knows no room of the platform.
//
//	file ── Parse ──► Scenario ── Play ──► calls, webhooks ──► transcript, first expectation that failed
//
// While a scenario plays, the platform's clock stands still between its steps, so that the same file tells the same story
// every time. docs/scenarios.md is the reference of the file.
package scenario
