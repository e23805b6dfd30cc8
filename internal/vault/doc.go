// Package vault keeps what must not be readable on disk: keys of numbers, contents of messages, secrets that are needed
// again in clear.
//
//	root key (file, environment or exec hook) ──wraps──► data keys (a table behind [Store]) ──seal──► records
//
//	class number/<phone number id>   identity, prekeys, session states      kept while the number exists
//	class content/<period>           texts, opaque data, webhook bodies     a new key every hour or 2^30 uses
//	class secret                     tokens, app secrets, verify tokens     kept
//	class brief                      content of numbers without storage     a new key every minute, destroyed an hour later
//
// A record is version ‖ data key id (4 B) ‖ nonce (12 B) ‖ AES-256-GCM. It can be opened only with the additional data it
// was sealed with, so a record moved to another row or column does not open there. Destroying a content key makes
// everything of its period unreadable, backups included: that is how retention is enforced.
//
// Brief keys lie in a file of their own, not in the table: logs and dumps of a database never hold one. Its records are of
// another version, with the minute of their birth in the place of a key id.
//
// Sealing and opening are in-memory work of about a microsecond; the store is asked only when a key is needed that does
// not exist yet, or that another node made. Keys become durable before anything is sealed with them. [Vault.Prepare] makes
// keys ahead of time for callers that must not wait.
//
// The package must not know SQL, nor what it seals. It imports the clock and the standard library.
//
// Lock order: Vault.change before briefs.change before briefs.mu and Vault.mu.
package vault
