// Package hikyaku is the root of the module. It holds no code: its tests keep the plan of the house (arch_test.go). Start
// reading in docs/architecture.md, or in cmd/hikyaku.
package hikyaku
