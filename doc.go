// Package hikyaku is the root of the module. It holds the examples that the program offers for download; its tests keep the
// plan of the house (arch_test.go). Start reading in docs/architecture.md, or in cmd/hikyaku.
package hikyaku
