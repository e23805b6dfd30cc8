// Package crash kills the running program at hundreds of random moments, fills its disk and makes its writes fail, and then
// checks in the journal, at the webhook receiver and on real devices that nothing acknowledged was lost, nothing was done
// twice that must be done once, and no message key was used for two ciphertexts.
//
//	make crash                                   # or: go test -tags crash ./test/crash
//	HIKYAKU_CRASH_KILLS=1000 HIKYAKU_CRASH_SEED=7 make crash
//
// Senders, devices (package device, file store, WebSocket) and the webhook receiver live in the test's process and survive.
package crash
