// Package flow owns flows: small applications of forms that a business sends in a message and a user fills in.
//
//	           create                publish                     deprecate
//	(nothing) ───────▶ DRAFT ───────────────────▶ PUBLISHED ───────────────▶ DEPRECATED
//	                    │  ▲                         │   ▲
//	             delete │  └── name, JSON, endpoint  │   │ publish again: the new JSON goes live
//	                    ▼                            ▼   │
//	                 (gone)             operator: THROTTLED, BLOCKED ──▶ PUBLISHED
//
// A flow has two JSON documents: the draft, which uploads replace, and the live one, which is a draft that was published. A
// document that has faults is stored all the same; the faults stand in the way of publishing. What a document may say is the
// business of the folder document; this room keeps what it needs of it: version, screens, faults.
//
// Flows live in the store and, as immutable snapshots, in memory; finding one for a message reads no SQL and takes no lock.
// Documents are read from the store when somebody opens the flow; they are sealed there. A change is durable before it is
// visible, and what it tells the business (a Notice) is saved with it: a crash may repeat a notice and never loses one.
//
// A flow with an endpoint talks to the business while it is filled in:
//
//	user ─▶ Exchange ─▶ {"version","action","screen","data","flow_token"}
//	                    AES-128-GCM under a new key, the key RSA-OAEP to the number's public key, HMAC of the app
//	                    ─▶ POST endpoint_uri ─▶ base64 of AES-128-GCM(same key, inverted IV) ─▶ next screen
//
// What endpoints do is counted by the hour, their health is asked for every ten minutes, and crossing a threshold is told by
// webhook. Counts of the last seconds, and how requests went in the last half hour, are in memory: a crash loses them.
//
// The package must not know SQL, HTTP servers, nor how a message is delivered; its one way out is the transport it is given.
// Sources: spec/flows.md, spec/webhooks.md section 19, spec/errors.md section 15.
package flow
