package frame

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Check implements Frame. The server's own frames have nothing to refuse.
func (*Hello) Check() *Error { return nil }

// Check implements Frame.
func (*Welcome) Check() *Error { return nil }

// Check implements Frame.
func (*Bye) Check() *Error { return nil }

// Check implements Frame.
func (*Deliver) Check() *Error { return nil }

// Check implements Frame.
func (*Sent) Check() *Error { return nil }

// Check implements Frame.
func (*Bundle) Check() *Error { return nil }

// Check implements Frame.
func (*OK) Check() *Error { return nil }

// Check implements Frame.
func (*Low) Check() *Error { return nil }

// Check implements Frame.
func (*Error) Check() *Error { return nil }

// Check implements Frame.
func (a *Auth) Check() *Error {
	user, n, ok := strings.Cut(a.Device, ".")
	switch {
	case !ok || !digits(user) || len(n) != 1 || n[0] < '1' || n[0] > '0'+MaxDevices:
		return malformed(0, "device")
	case len(a.Sig) != SigSize:
		return malformed(0, "sig")
	case a.LastSeq > MaxSeq:
		return malformed(0, "last_seq")
	case len(a.Client) > MaxClient:
		return malformed(0, "client")
	}
	return nil
}

// Check implements Frame.
func (a *Ack) Check() *Error {
	if a.Seq > MaxSeq {
		return malformed(0, "seq")
	}
	return ids(a.Read, "read", 0)
}

// Check implements Frame.
func (c *Receipt) Check() *Error {
	if c.State != StateRead && c.State != StatePlayed {
		return malformed(0, "state")
	}
	return ids(c.IDs, "ids", 1)
}

// Check implements Frame.
func (s *Send) Check() *Error {
	switch {
	case len(s.ID) < MinClientID || len(s.ID) > MaxClientID || !printable(s.ID):
		return malformed(s.R, "id")
	case !digits(s.To):
		return malformed(s.R, "to")
	case s.K != KindPreKey && s.K != KindMessage:
		return malformed(s.R, "k")
	case len(s.Ct) == 0:
		return malformed(s.R, "ct")
	case len(s.Ct) > MaxCipher:
		return &Error{R: s.R, Code: ErrTooLarge, Text: fmt.Sprintf("ct is longer than %d bytes", MaxCipher)}
	}
	return nil
}

// Check implements Frame.
func (t *Retry) Check() *Error {
	switch t.Reason {
	case RetryNoSession, RetryBadMAC, RetryUnknownPreKey, RetryDuplicate, RetryFormat:
	default:
		return malformed(0, "reason")
	}
	if t.Seq == 0 || t.Seq > MaxSeq {
		return malformed(0, "seq")
	}
	return ids([]string{t.ID}, "id", 1)
}

// Check implements Frame.
func (b *BundleRequest) Check() *Error {
	if !digits(b.Of) {
		return malformed(b.R, "of")
	}
	return nil
}

// Check implements Frame.
func (p *PreKeys) Check() *Error {
	if p.SignedPreKey != nil && !p.SignedPreKey.sized(PublicKeySize) {
		return malformed(p.R, "signed_prekey")
	}
	if p.KEMPreKey != nil && !p.KEMPreKey.sized(KEMKeySize) {
		return malformed(p.R, "kem_prekey")
	}
	if !oneTimes(p.OneTime) {
		return malformed(p.R, "one_time_prekeys")
	}
	return nil
}

// Check implements Frame.
func (a *Act) Check() *Error {
	switch {
	case a.Do == "" || len(a.Do) > MaxName:
		return malformed(a.R, "do")
	case a.Of != "" && !digits(a.Of):
		return malformed(a.R, "of")
	case len(a.ID) > MaxMessageID:
		return malformed(a.R, "id")
	case len(a.Reason) > MaxReason || !utf8.ValidString(a.Reason):
		return malformed(a.R, "reason")
	case len(a.Button) > MaxReason || !utf8.ValidString(a.Button):
		return malformed(a.R, "button")
	}
	return nil
}

// Check implements Frame.
func (p *Profile) Check() *Error {
	switch {
	case p.Name != nil && (*p.Name == "" || !text(*p.Name)):
		return malformed(p.R, "name")
	case p.Username != nil && !text(*p.Username):
		return malformed(p.R, "username")
	case p.PIN != nil && *p.PIN != "" && (len(*p.PIN) != PINLength || !digits(*p.PIN)):
		return malformed(p.R, "pin")
	}
	return nil
}

// Check implements Frame.
func (f *Find) Check() *Error {
	if f.Q == "" || len(f.Q) > MaxQuery || !utf8.ValidString(f.Q) {
		return malformed(f.R, "q")
	}
	return nil
}

// Check reports the first field of the description that breaks a rule; it does not verify signatures.
func (d *Device) Check() *Error {
	switch {
	case !text(d.Name):
		return malformed(0, "device.name")
	case d.Platform != PlatformWeb && d.Platform != PlatformCLI && d.Platform != PlatformVirtual && d.Platform != PlatformOther:
		return malformed(0, "device.platform")
	case len(d.IdentityKey) != PublicKeySize:
		return malformed(0, "device.identity_key")
	case len(d.AuthKey) != AuthKeySize:
		return malformed(0, "device.auth_key")
	case d.RegistrationID < 1 || d.RegistrationID > MaxReg:
		return malformed(0, "device.registration_id")
	case !d.SignedPreKey.sized(PublicKeySize):
		return malformed(0, "device.signed_prekey")
	case !d.KEMPreKey.sized(KEMKeySize):
		return malformed(0, "device.kem_prekey")
	case !oneTimes(d.OneTime):
		return malformed(0, "device.one_time_prekeys")
	}
	return nil
}

func (k *SignedKey) sized(n int) bool { return len(k.Key) == n && len(k.Sig) == SigSize }

func oneTimes(keys []OneTimeKey) bool {
	if len(keys) > MaxOneTime {
		return false
	}
	seen := make(map[uint32]bool, len(keys))
	for _, k := range keys {
		if len(k.Key) != PublicKeySize || seen[k.ID] {
			return false
		}
		seen[k.ID] = true
	}
	return true
}

func malformed(r uint64, field string) *Error {
	return &Error{R: r, Code: ErrFormat, Text: field + " is missing or not of its form"}
}

func ids(list []string, field string, least int) *Error {
	if len(list) < least || len(list) > MaxIDs {
		return malformed(0, field)
	}
	for _, id := range list {
		if id == "" || len(id) > MaxMessageID {
			return malformed(0, field)
		}
	}
	return nil
}

// digits reports whether s can be a wa_id (or a PIN): 1 to 20 digits.
func digits(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func text(s string) bool { return len(s) <= MaxName && utf8.ValidString(s) }
