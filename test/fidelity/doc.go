// Package fidelity checks what the scenarios record, every request, answer and webhook, against the description of the API
// that its maker publishes as an OpenAPI file. The file is not part of this repository: the tests look for it where the
// environment variable HIKYAKU_META_OPENAPI says, and are skipped without it. Where the file is known to be wrong,
// deviations.txt says so, each with a reason; a deviation that is not listed fails, and so does a listed one that no longer
// occurs.
package fidelity
