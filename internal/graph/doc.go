// Package graph is the grammar of the Graph API, written once: versions, parameters from every carrier, the fields
// language, nodes and edges as data, paging, multi-id reads, batches, headers and the error envelope.
// Contract: spec/graph.md; where errors differ, spec/errors.md.
//
//	request ─► path, version ─► token ─► Admit ─► Resolver (kind of id) ─► Load (visible?) ─► scope ─► Enter
//	        ─► body and parameters ─► List / Get / Action ─► envelope, headers, log line, Observe
//
// It knows no resource: api describes each kind of object as a [Node] and hands the set to [New]. It must not know SQL,
// the journal or any rule room. It decides nothing but grammar; errors of the rooms pass through it as rows of the table
// (wa.Error) and only here become JSON.
//
// Every input is bounded: path, query, body, number of parameters, JSON depth and size, fields depth and count, ids and
// batch items. A [Server] is safe for concurrent use; a [Call] and its [Value] belong to one request and one goroutine.
package graph
