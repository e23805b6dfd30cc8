// Package scenario reads and writes the scenario files of this folder: conversations with the platform, byte for byte. Its
// tests play them against the real program; test/fidelity checks what they record against the published description of the
// API. README.md says how to write one.
package scenario
