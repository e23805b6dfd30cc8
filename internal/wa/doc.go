// Package wa holds the nouns every room shares: ids as types, phone numbers, message statuses and the error table.
//
// It is the ground floor: it knows the words of the platform and none of its behaviour. It must not know HTTP, SQL, the
// journal or the clock. The error table lives in errors.json; errors_gen.go and docs/errors.md are generated from it.
package wa
