// Package e2e drives the Manager in a real browser, the way people do: it clicks what they see, and types where they would. Every
// test starts a server of its own, from the built program, on a free port of loopback, with a fixed clock and seed; the browser is
// shared. A test fails on whatever the browser complains about: errors in the console, violations of the content security policy,
// requests that failed, pages that scroll sideways at 360, 390, 768 or 1280 pixels, and accessibility faults that axe-core finds.
//
//	cd e2e && go test ./...          skipped where there is no Chromium
//	E2E=1 go test ./...              fails there instead: CI
//	SHOTS=/tmp/shots go test ./...   keeps a picture of every page that is looked at
//
// The module is one of its own, so that the program does not depend on a browser driver. testdata/axe-core is the unmodified
// axe.min.js of the npm package axe-core 4.14.1 (MPL-2.0); it is part of no program.
package e2e
