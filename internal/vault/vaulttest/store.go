package vaulttest

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/vault"
)

// New returns a vault with a fixed root key and a store in memory.
func New(tb testing.TB, c clock.Clock) *vault.Vault {
	tb.Helper()
	v, err := vault.Open(tb.Context(), vault.Options{
		Root: Root(tb, 1), Store: &Store{}, Clock: c, Brief: filepath.Join(tb.TempDir(), "brief.keys"),
	})
	if err != nil {
		tb.Fatalf("open vault: %v", err)
	}
	return v
}

// Root returns a root key made of n alone.
func Root(tb testing.TB, n byte) *vault.Root {
	tb.Helper()
	k := make([]byte, 32)
	k[0] = n
	r, err := vault.NewRoot(k)
	if err != nil {
		tb.Fatalf("make root key: %v", err)
	}
	return r
}

// Store is a vault.Store in memory. The zero value is empty and ready.
type Store struct {
	mu   sync.Mutex
	rows []vault.DataKey
	adds int
}

// Adds is how often a key was stored.
func (s *Store) Adds() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.adds
}

// DataKeys implements vault.Store.
func (s *Store) DataKeys(context.Context) ([]vault.DataKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rows), nil
}

// DataKey implements vault.Store.
func (s *Store) DataKey(_ context.Context, id uint32) (*vault.DataKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.rows {
		if k.ID == id {
			return &k, nil
		}
	}
	return nil, nil //nolint:nilnil // the contract says nil for unknown
}

// AddDataKey implements vault.Store.
func (s *Store) AddDataKey(_ context.Context, k vault.DataKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.adds++
	if slices.ContainsFunc(s.rows, func(o vault.DataKey) bool { return o.ID == k.ID }) {
		return vault.ErrKeyExists
	}
	s.rows = append(s.rows, k)
	return nil
}

// RewrapDataKeys implements vault.Store.
func (s *Store) RewrapDataKeys(_ context.Context, keys []vault.DataKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		for i := range s.rows {
			if s.rows[i].ID == k.ID && len(s.rows[i].Wrapped) > 0 {
				s.rows[i].Wrapped = k.Wrapped
			}
		}
	}
	return nil
}

// DestroyDataKeys implements vault.Store.
func (s *Store) DestroyDataKeys(_ context.Context, ids []uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.rows {
		if slices.Contains(ids, s.rows[i].ID) {
			s.rows[i].Wrapped = nil
		}
	}
	return nil
}
