// Package contract says in words what the Graph surface serves, and makes the documents for people and programs from them:
// the OpenAPI document behind /openapi.json and docs/api.md.
//
//	graph.Description (nodes, edges, fields) ─┐
//	rights (scopes, tasks)                    ├─► New ─► Contract ─► OpenAPI, Page
//	words (this package)                     ─┘
//
// What is served is never said here: it comes from the description of the running server. A call or a field without words,
// and words for what is not served, are errors of [New], so that neither can be forgotten. The package decides nothing; of the
// rule rooms it knows the names that they allow.
package contract
