// Package property draws messages that a business may legally send, of every type and every kind of template, and checks
// what must hold for all of them: the platform takes them, a device gets them, a person can read them, and what the person
// answers becomes a webhook of the documented form. Sources: spec/messages.md sections 2, 3 and 9 to 12, spec/webhooks.md
// sections 10 to 14.
//
// The generators know the rules of the documents and none of the platform's code: what they draw and the platform refuses is
// a fault of one of the two.
package property
