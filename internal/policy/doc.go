// Package policy watches what happens and lets follow what the contract says: it keeps portfolios within their messaging
// limit, people within their share of marketing, raises limits and throughput that were earned, rates numbers and templates
// by what users do, and pauses templates that are not wanted.
//
//	lanes ── Admit, Settle ──► Service ── reads ──► counts, people reached, feedback (store)
//	projector ── Heard ──────►    │
//	clock, hourly ───────────►    └─ changes ─► portfolios, numbers, templates; each change is a notice first
//
// The rules are those of limits and quality. What Admit and Settle need is in memory and is read again from the store when
// the platform starts. A notice is written before the change it tells of is stored: a crash repeats it.
// Source: spec/limits.md sections 1.4, 3 and 4, spec/quality.md. The package knows neither SQL, HTTP nor the journal.
package policy
