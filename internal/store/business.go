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

// saveOrForget writes a document, or takes it out of the table.
func saveOrForget(ctx context.Context, t tx, table, id string, doc any, gone bool) error {
	if !gone {
		return saveDoc(ctx, t, table, id, doc)
	}
	_, err := t.exec(ctx, "DELETE FROM "+table+" WHERE id = ?", text(id))
	return err
}

// saveBeside writes what accompanies accounts and numbers.
func saveBeside(ctx context.Context, t tx, set *business.Set) error {
	for _, q := range set.QRCodes {
		if err := saveOrForget(ctx, t, "qr_codes", q.Code, q, q.Deleted); err != nil {
			return err
		}
	}
	for _, b := range set.Budgets {
		if err := saveOrForget(ctx, t, "code_budgets", string(b.WaID), b, b.Gone); err != nil {
			return err
		}
	}
	for _, p := range set.Preverified {
		if err := saveOrForget(ctx, t, "preverified", p.ID, p, p.Removed); err != nil {
			return err
		}
	}
	for _, x := range set.Solutions {
		if err := saveOrForget(ctx, t, "solutions", x.ID, x, x.Gone); err != nil {
			return err
		}
	}
	for _, i := range set.Intents {
		if err := saveOrForget(ctx, t, "intents", i.ID, i, i.Gone); err != nil {
			return err
		}
	}
	for _, x := range set.Certifications {
		if err := saveOrForget(ctx, t, "certifications", x.ID, x, x.Gone); err != nil {
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
