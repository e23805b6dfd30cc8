package virtual

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hikyaku/hikyaku/device"
)

// saveMagic begins a saved fleet of this version: magic ‖ users…, each user: wa_id ‖ name ‖ behaviour ‖ flags ‖ number of
// records ‖ (key ‖ value)…; every part is preceded by its length, numbers are varints.
const saveMagic = "hikyaku fleet 1\n"

// ErrSaved reports bytes that are no saved fleet.
var ErrSaved = errors.New("no saved fleet of this version")

const (
	flagOnline = 1 << iota
	flagDefault
)

// Save returns the state of all users, after [Fleet.Close]. It holds their keys: encrypt it. Load it at most once, and
// delete what was stored before the users start again: an older state would use message keys twice. What users would have
// done later by their behaviour is not kept.
func (f *Fleet) Save() ([]byte, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if !f.closed {
		return nil, errors.New("save virtual users: they are not closed")
	}
	b := []byte(saveMagic)
	for _, waID := range slices.Sorted(maps.Keys(f.users)) {
		u := f.users[waID]
		if u.d == nil {
			continue // it never got its new device: it is recovered again
		}
		var err error
		if b, err = u.save(b); err != nil {
			return nil, fmt.Errorf("save virtual users: %w", err)
		}
	}
	return b, nil
}

func (u *user) save(b []byte) ([]byte, error) {
	behaviour, err := json.Marshal(u.behaviour)
	if err != nil {
		return nil, err
	}
	records, err := u.d.Export()
	if err != nil {
		return nil, err
	}
	flags := uint64(0)
	if u.online {
		flags |= flagOnline
	}
	if u.behaviour == u.f.plain {
		flags |= flagDefault
	}
	b = appendPart(b, u.waID)
	b = appendPart(b, u.name)
	b = appendPart(b, string(behaviour))
	b = binary.AppendUvarint(b, flags)
	b = binary.AppendUvarint(b, uint64(len(records)))
	for _, r := range records {
		b = appendPart(b, r.Key)
		b = appendPart(b, string(r.Value))
	}
	return b, nil
}

func appendPart(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// Load takes what [Fleet.Save] returned, before [Fleet.Start]. The users of the fleet are added to. Errors: [ErrSaved].
func (f *Fleet) Load(saved []byte) error {
	if len(saved) < len(saveMagic) || string(saved[:len(saveMagic)]) != saveMagic {
		return ErrSaved
	}
	r := savedReader{rest: saved[len(saveMagic):]}
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(r.rest) > 0 && !r.bad {
		if err := f.load(&r); err != nil {
			return err
		}
	}
	if r.bad {
		return fmt.Errorf("cut short: %w", ErrSaved)
	}
	return nil
}

// load needs f.mu.
func (f *Fleet) load(r *savedReader) error {
	u := f.makeUser(string(r.part()))
	u.name = string(r.part())
	behaviour := r.part()
	flags, n := r.number(), r.number()
	if r.bad || n > uint64(len(r.rest)) {
		return ErrSaved
	}
	u.online = flags&flagOnline != 0
	if flags&flagDefault == 0 {
		u.behaviour = new(Behaviour)
		if err := json.Unmarshal(behaviour, u.behaviour); err != nil {
			return fmt.Errorf("%w: %w", ErrSaved, err)
		}
	}
	records := make([]device.Record, 0, n)
	for range n {
		records = append(records, device.Record{Key: string(r.part()), Value: slices.Clone(r.part())})
	}
	if r.bad {
		return ErrSaved
	}
	d, err := device.Import(f.options(u), records)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSaved, err)
	}
	u.d = d
	f.users[u.waID] = u
	return nil
}

// savedReader consumes a saved fleet; after the first mismatch it is bad and returns nothing.
type savedReader struct {
	rest []byte
	bad  bool
}

func (r *savedReader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *savedReader) part() []byte {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
