// Package media keeps the files of messages: uploaded by businesses, fetched from links, or sent by users. It owns media
// ids and their lifetimes, the rules about types and sizes, resumable uploads, the fetch by link with its cache, and how a
// file is encrypted at rest.
//
//	upload, handle ─┐                        ┌─► describe, download (API)
//	link ───────────┼─► check ─► encrypt ─► blob ─► attachment of messages: the same blob and keys for every recipient
//	user's blob ────┘   while it streams     └─► expiry
//
// A file is encrypted once, with keys of its own, as it streams in: IV ‖ AES-256-CBC ‖ HMAC-SHA256. Only that is ever
// stored, behind [Blobs]; the keys are in a row that the vault seals ([Store], [Sealer]). A device gets blob and keys
// inside its encrypted message, so a campaign needs no second encryption.
//
// What happens to a file that turns out to be wrong: an unsupported type or a size over the limit refuses the upload;
// bytes that are not of the declared type are kept with a fault, and a message that uses them fails after it was accepted.
//
// Order of durability: the row of a blob comes first, with a short life; then its bytes; then the row of the media, which
// prolongs that life. Whatever a crash leaves behind expires by itself.
//
// The package knows no SQL, no HTTP server and no message. It is safe for concurrent use.
package media
