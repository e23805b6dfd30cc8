// Package analytics says what is counted and how the counts are asked for.
//
//	records ─► Count{subject, what, half hour, number, country} ─► store adds them up, one row per key
//	Query ─► Plan: which counts, which buckets ─► store sums ─► points
//
// A subject is a WABA, a template or a phone number. Counting happens where the journal is projected, in the transaction of
// the batch, so that every record counts exactly once; asking needs no message. Source: spec/analytics.md. The package
// knows neither SQL nor HTTP.
package analytics
