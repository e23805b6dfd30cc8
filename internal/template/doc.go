// Package template owns message templates: their components, their registry by account, name and language, and how one is
// filled in for a message.
//
// Templates live in the store and, as an immutable snapshot, in memory; looking one up and rendering it reads no SQL and
// takes no lock. The package must not know HTTP, SQL or how a message is delivered. Sources: spec/templates.md,
// spec/messages.md section 11, spec/errors.md section 9.
package template
