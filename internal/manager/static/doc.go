// Package static holds what a browser loads besides pages: styles, modules, fonts and icons. All of it is embedded, compressed once at
// start and served under a path with the hash of its content, so that a browser may keep it for ever. Nothing comes from elsewhere;
// what others wrote is listed with version, licence and hash in vendor.json.
package static
