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
	if set.QRCodes, err = loadDocs[business.QRCode](ctx, s, "qr_codes"); err != nil {
		return nil, err
	}
	if set.Preverified, err = loadDocs[business.Preverified](ctx, s, "preverified"); err != nil {
		return nil, err
	}
	if set.Budgets, err = loadDocs[business.Budget](ctx, s, "code_budgets"); err != nil {
		return nil, err
	}
	if set.Solutions, err = loadDocs[business.Solution](ctx, s, "solutions"); err != nil {
		return nil, err
	}
	if set.Intents, err = loadDocs[business.Intent](ctx, s, "intents"); err != nil {
		return nil, err
	}
	if set.Certifications, err = loadDocs[business.Certification](ctx, s, "certifications"); err != nil {
		return nil, err
	}
	if set.Notices, err = loadDocs[business.Notice](ctx, s, "notices"); err != nil {
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
		return saveBeside(ctx, t, set)
	})
}

// saveBeside writes what accompanies accounts and numbers.
func saveBeside(ctx context.Context, t tx, set *business.Set) error {
	for _, q := range set.QRCodes {
		if q.Deleted {
			if _, err := t.exec(ctx, "DELETE FROM qr_codes WHERE id = ?", text(q.Code)); err != nil {
				return err
			}
			continue
		}
		if err := saveDoc(ctx, t, "qr_codes", q.Code, q); err != nil {
			return err
		}
	}
	for _, b := range set.Budgets {
		if b.Gone {
			if _, err := t.exec(ctx, "DELETE FROM code_budgets WHERE id = ?", text(b.WaID)); err != nil {
				return err
			}
			continue
		}
		if err := saveDoc(ctx, t, "code_budgets", string(b.WaID), b); err != nil {
			return err
		}
	}
	for _, p := range set.Preverified {
		if p.Removed {
			if _, err := t.exec(ctx, "DELETE FROM preverified WHERE id = ?", text(p.ID)); err != nil {
				return err
			}
			continue
		}
		if err := saveDoc(ctx, t, "preverified", p.ID, p); err != nil {
			return err
		}
	}
	for _, x := range set.Solutions {
		if err := saveDoc(ctx, t, "solutions", x.ID, x); err != nil {
			return err
		}
	}
	for _, i := range set.Intents {
		if err := saveDoc(ctx, t, "intents", i.ID, i); err != nil {
			return err
		}
	}
	for _, x := range set.Certifications {
		if err := saveDoc(ctx, t, "certifications", x.ID, x); err != nil {
			return err
		}
	}
	for _, n := range set.Notices {
		if err := saveDoc(ctx, t, "notices", n.ID, n); err != nil {
			return err
		}
	}
	for _, id := range set.Delivered {
		if _, err := t.exec(ctx, "DELETE FROM notices WHERE id = ?", text(id)); err != nil {
			return err
		}
	}
	for _, a := range set.Activities {
		if err := saveActivity(ctx, t, a); err != nil {
			return err
		}
	}
	return nil
}
