// Package webhook tells businesses what happened: it owns the subscriptions of apps, the payload bytes, their signature,
// and the delivery of every update until the receiver has answered or seven days have passed.
//
//	journal, one head reader per partition
//	    │ build the payload once per variant, route it: number → WABA → app
//	    ▼
//	endpoint queue (bounded) ──workers, AIMD 1…64 ──► signed POST ──2xx──► frame done, cursor moves
//	    ▲        │ full or suspended: detached                │ failed twice
//	    │        ▼                                            ▼
//	 own reader from the endpoint's cursor            row in the store ──schedule──► POST again … 7 days, then dropped
//
// An endpoint is an app together with the scope whose URL applies: the app's callback, the override of one WABA or the
// override of one number. It keeps a cursor per partition: the last frame up to which everything that concerns it was
// answered, or is a row in the store. Cursors are saved about once a second, so a crash repeats a little and loses nothing.
// Receivers must expect repeats and any order (spec/webhooks.md section 6), but get no more disorder than repeats bring:
// while an update of a message is on its way to an endpoint, later ones of that message stand aside.
//
// States of an endpoint:
//
//	open ──20 failures in a row──► suspended ──one probe at a time succeeds──► open
//
// While an endpoint is suspended its cursor stands still: no rows are made and nothing is dropped before its seven days are
// over. Nothing that happens to one endpoint makes another wait.
//
// Lock order: Dispatcher.mu, partition.mu, endpoint.mu; the delivery log's lock is a leaf. No lock is held during I/O,
// except the Service's write lock around its store.
//
// What happened lives in the journal, subscriptions, cursors and pending retries live in the store, queues and the delivery
// log are memory and may be lost. The package must not know SQL, NATS, HTTP servers, the Graph API or Prometheus.
package webhook
