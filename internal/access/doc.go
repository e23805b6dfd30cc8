// Package access knows apps, system users, people and tokens, and decides who may do what to which object.
//
//	token ─► syntax and checksum ─► keyed hash ─► Token ─► App, Actor ─► Caller
//	Caller ─► Can(scope), SeesWABA, SeesBusiness, May(task): unknown and forbidden are the same answer
//
// A token is stored as a keyed hash only; app secrets and verify tokens, which must be readable again, are sealed by the
// [Sealer] the package is given. No type of this package prints a secret. All of it lives in the store and, as an
// immutable snapshot, in memory: authentication reads no SQL and takes no lock. The package must not know HTTP or SQL.
// Source: spec/access.md.
package access
