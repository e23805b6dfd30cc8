package device

import (
	"errors"
	"maps"
	"slices"
	"sync"
)

// Record is one entry of a device's state. The key is at most 64 printable bytes; the value is secret.
type Record struct {
	Key   string
	Value []byte
}

// Step is one change of a device's state: all of it happens, or nothing.
type Step struct {
	Reset  bool // forget everything first
	Put    []Record
	Delete []string
}

// Store keeps a device's state. A device calls it from one goroutine at a time.
type Store interface {
	// Load returns every record, in any order; none for a device that was never stored.
	Load() ([]Record, error)
	// Commit applies a step atomically and returns after it is durable. After an error either nothing or all of the step
	// may be stored: the device loads again before it does anything else.
	Commit(s Step) error
}

// ErrEmpty reports a store without a device in it.
var ErrEmpty = errors.New("no device is stored here")

// MemoryStore is a [Store] that lives as long as the process. The zero value is empty and ready.
type MemoryStore struct {
	mu      sync.Mutex
	records map[string][]byte
}

// Load implements [Store].
func (m *MemoryStore) Load() ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sorted(m.records), nil
}

// Commit implements [Store].
func (m *MemoryStore) Commit(s Step) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = apply(m.records, s)
	return nil
}

// apply changes records as the step says and returns them.
func apply(records map[string][]byte, s Step) map[string][]byte {
	if records == nil || s.Reset {
		records = make(map[string][]byte, len(s.Put))
	}
	for _, k := range s.Delete {
		delete(records, k)
	}
	for _, r := range s.Put {
		records[r.Key] = slices.Clone(r.Value)
	}
	return records
}

func sorted(records map[string][]byte) []Record {
	list := make([]Record, 0, len(records))
	for _, k := range slices.Sorted(maps.Keys(records)) {
		list = append(list, Record{k, slices.Clone(records[k])})
	}
	return list
}
