// Package quality rates numbers and templates by what users do, as arithmetic on integers: the same events and the same
// time give the same rating on every node.
//
//	events ─► Points ─┐
//	                  ├─► Days ─► Score ─► Rating ─► Hysteresis        the rating in force
//	users per day ────┘                        └──► Pause, Ladder      what follows from a bad one
//
// Source: spec/quality.md sections 3.1, 5 and 7; the formula is ours, that of the real service is unpublished. The package
// knows neither who is rated nor where events come from, reads no clock and keeps nothing.
package quality
