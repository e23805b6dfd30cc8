package hikyaku

import "embed"

// Examples are the webhook receivers to copy and the Postman collections, as the running program offers them for download.
//
//go:embed examples/webhook-echo/main.go examples/webhook-echo-node/server.mjs postman/*.json
var Examples embed.FS
