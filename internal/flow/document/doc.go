// Package document is what a flow is made of: Flow JSON as a business writes it, read and checked.
//
//	bytes ── Parse ──► Document ── Screens ──► Components ── properties, which may hold ${references}
//	            │
//	            └────► Problems, each with the lines and columns it speaks of
//
// A document with problems can be stored, shown and mended; one without can be published. Parse fails only for bytes that
// are no JSON object, or that are beyond its bounds: [MaxSize] bytes, [MaxDepth] levels, [MaxValues] values. It reports at
// most [MaxProblems] problems. What a version of Flow JSON offers is a table (table.go), not code.
//
// A [Session] walks through a document as a person does: it shows screens as a [View], takes values, does what is tapped, asks
// the data endpoint through an interface, and ends with the response of the flow.
//
// The package knows no network, no store and no time. Source: spec/flows.md, sections 4 and 9; Flow JSON reference.
package document
