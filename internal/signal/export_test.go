package signal

// Bounds and parts of messages that tests in package signal_test need to name.
const (
	MaxSkipped  = maxSkipped
	MaxChains   = maxChains
	MaxArchived = maxArchived
)

// Mac32, KDF and the parsers under their test names.
var (
	Mac32 = mac32
	KDF   = kdf
)

// BaseKey returns the base key of a first message.
func BaseKey(wire []byte) (PublicKey, error) {
	p, err := parsePreKeyMessage(wire)
	return p.base, err
}

// InnerMessage returns the ratchet message inside a first message.
func InnerMessage(wire []byte) ([]byte, error) {
	p, err := parsePreKeyMessage(wire)
	return p.inner, err
}

// RatchetKey returns the ratchet key and number of a ratchet message.
func RatchetKey(wire []byte) (PublicKey, uint32, error) {
	m, err := parseMessage(wire)
	return m.ratchet, m.number, err
}

// CurrentBase returns the base key of the current state.
func CurrentBase(s *Session) PublicKey { return s.cur.base }

// Archived returns how many states s keeps besides the current one.
func Archived(s *Session) int { return len(s.old) }

// Skipped returns how many message keys the current state keeps, and in how many receiving chains.
func Skipped(s *Session) (keys, chains int) {
	for i := range s.cur.recv {
		keys += len(s.cur.recv[i].skipped)
	}
	return keys, len(s.cur.recv)
}

// SetSent pretends that the current chain has sent n messages.
func SetSent(s *Session, n uint32) { s.cur.sent = n }

// SkipAhead moves the sending chain by n messages without making them.
func SkipAhead(s *Session, n uint32) {
	for range n {
		s.cur.chain = mac32(&s.cur.chain, stepChain)
		s.cur.sent++
	}
}
