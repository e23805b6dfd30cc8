// Package api is the Graph surface: one file per kind of node, each a description of fields, edges and actions in the
// grammar of the graph room.
//
//	graph.Server ─► Authenticate (access) ─► resolve (one id space) ─► load (visible?) ─► enter (scope, task) ─► field, edge, action
//	POST /{number}/messages ─► message.Decode ─► Ready ─► Check ─► Address ─► template ─► Pipeline.Accept ─► AppendAccepted
//
// It translates and decides nothing: what is allowed is said by access, what a number may do by business, what a message
// must look like by message and template, and limits are kept by the pipeline. Whatever the platform does not have yet is
// not declared here, so that the grammar answers it like anything unknown: a field or GET edge with code 100, a POST or
// DELETE edge with 100/33. Nothing answers success without having done it.
//
// It keeps no state of its own. It must not know SQL, the journal or the user network. Sources: spec/access.md,
// spec/business.md, spec/phone_numbers.md, spec/templates.md section 4, spec/messages.md, spec/errors.md section 2.
package api
