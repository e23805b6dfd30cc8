package store

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/business"
)

// LoadBusiness implements business.Store.
func (s *Store) LoadBusiness(ctx context.Context) (*business.Set, error) {
	var (
		set business.Set
		err error
	)
	if set.Portfolios, err = loadDocs[business.Portfolio](ctx, s, "portfolios"); err != nil {
		return nil, err
	}
	if set.WABAs, err = loadDocs[business.WABA](ctx, s, "wabas"); err != nil {
		return nil, err
	}
	if set.Numbers, err = loadDocs[business.Number](ctx, s, "numbers"); err != nil {
		return nil, err
	}
	return &set, nil
}

// SaveBusiness implements business.Store.
func (s *Store) SaveBusiness(ctx context.Context, set *business.Set) error {
	return s.write(ctx, func(ctx context.Context, t tx) error {
		for _, p := range set.Portfolios {
			if err := saveDoc(ctx, t, "portfolios", string(p.ID), p); err != nil {
				return err
			}
		}
		for _, w := range set.WABAs {
			if err := saveDoc(ctx, t, "wabas", string(w.ID), w); err != nil {
				return err
			}
		}
		for _, n := range set.Numbers {
			if err := saveDoc(ctx, t, "numbers", string(n.ID), n); err != nil {
				return err
			}
		}
		return nil
	})
}
