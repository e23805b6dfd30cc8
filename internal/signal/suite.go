package signal

import "cmp"

// Labels and numbers of the network's own suite. Source: design "The user network", sections 4 and 5.
const (
	// Label separates root secrets of this network from those of other users of the protocol.
	Label = "Hikyaku_X25519_SHA-256_ML-KEM-1024"
	// LabelX3DH is the label of a key agreement without KEM, so that the two can never give the same root.
	LabelX3DH = "Hikyaku_X25519_SHA-256"

	// MaxJumpPlatform is the largest jump of message numbers inside one chain that the platform follows. Devices send
	// in order and nothing towards the platform expires, so a larger one is an error or an attack.
	MaxJumpPlatform = 1000
	// MaxJumpDevice is the same for devices, whose mailbox items can expire while they are away.
	MaxJumpDevice = 25000
)

// Suite says which variant of the protocol a side speaks. The zero value is the network's own suite with the platform's
// bounds. It is a plain value; both sides of a session must agree on labels and KEM.
type Suite struct {
	Label     string // HKDF info of the root secret with KEM; empty means [Label]
	LabelX3DH string // the same without KEM; empty means [LabelX3DH]
	KEM       KEM    // nil means ML-KEM-1024
	AllowX3DH bool   // accept key agreement without KEM; false refuses with [ErrKEMRequired]
	MaxJump   uint32 // largest jump of numbers in a chain, in messages; 0 means [MaxJumpPlatform]
}

func (s Suite) kem() KEM {
	if s.KEM == nil {
		return mlkem1024{}
	}
	return s.KEM
}

func (s Suite) maxJump() uint32 { return cmp.Or(s.MaxJump, MaxJumpPlatform) }

// label returns the HKDF info of the root secret for a message version byte.
func (s Suite) label(version byte) string {
	if version == versionKEM {
		return cmp.Or(s.Label, Label)
	}
	return cmp.Or(s.LabelX3DH, LabelX3DH)
}
