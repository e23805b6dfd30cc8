// Package store speaks SQL: SQLite in the data directory, or PostgreSQL. It implements the small store interfaces that the
// rooms declare; a file per room.
//
//	messages, peers, sessions, mailbox, positions   the read side of the journal: written by Apply, one transaction per batch
//	                                                together with the position, rebuilt from the journal if they were lost
//	logins and everything else                      the control plane: durable when the call returns
//
// What derives from the journal is committed without waiting for the disk (SQLite synchronous=NORMAL, PostgreSQL
// synchronous_commit=off): a power cut takes back whole transactions together with their positions, and the journal is
// read again from there. Control-plane writes wait (FULL, on).
//
// SQLite has one writing connection, handed out in turn, and a small pool of reading ones. Objects of the control plane
// that their rooms keep in memory anyway are stored as JSON documents by id; what is queried has columns. Text from
// outside may hold NUL bytes or invalid UTF-8, which PostgreSQL refuses: it is stored escaped and comes back unchanged, so
// that no message can stop the projector.
//
// Schema changes only add, so that the previous binary still runs (see the migrations folder); a schema newer than the
// binary knows is refused with [SchemaError]. The package must not decide anything: rules live in the rooms.
package store
