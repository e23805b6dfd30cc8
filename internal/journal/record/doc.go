// Package record is the vocabulary of the journal: what can have happened, one type per kind of fact, and its binary
// form.
//
// Each payload is a sequence of protobuf fields (protobuf wire format, no schema compiler), so a newer binary may add
// fields and an older one skips them; a kind that a binary does not know decodes to [Unknown] and is skipped by every
// reader. Content (message bodies, opaque callback data) and session states are sealed before they enter a record: the
// clear form sits beside the sealed one only in memory, for readers that still hold the record they were handed, and is
// never encoded. The package must not know the vault, the lanes or the store.
package record
