package store

import (
	"context"
	"database/sql"

	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// LoadFlows implements flow.Store.
func (s *Store) LoadFlows(ctx context.Context) ([]*flow.Flow, error) {
	return loadDocs[flow.Flow](ctx, s, "flows")
}

// SaveFlow implements flow.Store.
func (s *Store) SaveFlow(ctx context.Context, f *flow.Flow, sealed []byte) error {
	return s.write(ctx, func(ctx context.Context, t tx) error {
		if err := saveDoc(ctx, t, "flows", string(f.ID), f); err != nil {
			return err
		}
		if sealed != nil {
			if _, err := t.exec(ctx, `INSERT INTO flow_json (flow, n, sealed) VALUES (?, ?, ?)
ON CONFLICT (flow, n) DO UPDATE SET sealed = excluded.sealed`, text(f.ID), f.Draft.N, sealed); err != nil {
				return err
			}
		}
		_, err := t.exec(ctx, "DELETE FROM flow_json WHERE flow = ? AND n <> ? AND n <> ?", text(f.ID), f.Draft.N, f.Live.N)
		return err
	})
}

// LoadRetirements implements flow.Retirements.
func (s *Store) LoadRetirements(ctx context.Context) ([]flow.Retirement, error) {
	docs, err := loadDocs[flow.Retirement](ctx, s, "flow_versions")
	out := make([]flow.Retirement, len(docs))
	for i, r := range docs {
		out[i] = *r
	}
	return out, err
}

// SaveRetirement implements flow.Retirements.
func (s *Store) SaveRetirement(ctx context.Context, r flow.Retirement) error {
	return s.write(ctx, func(ctx context.Context, t tx) error { return saveDoc(ctx, t, "flow_versions", r.Version.String(), &r) })
}

// DeleteFlow implements flow.Store.
func (s *Store) DeleteFlow(ctx context.Context, id wa.FlowID) error {
	return s.write(ctx, func(ctx context.Context, t tx) error {
		for _, q := range [...]string{
			"DELETE FROM flow_json WHERE flow = ?", "DELETE FROM flow_counts WHERE flow = ?", "DELETE FROM flows WHERE id = ?",
		} {
			if _, err := t.exec(ctx, q, text(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// FlowJSON implements flow.Shelf.
func (s *Store) FlowJSON(ctx context.Context, id wa.FlowID, n int64) (sealed []byte, err error) {
	_, err = s.one(ctx, s.db, "SELECT sealed FROM flow_json WHERE flow = ? AND n = ?", []any{text(id), n}, &sealed)
	return sealed, wrap("read the document of a flow", err)
}

// AddFlowCounts implements flow.Counts.
func (s *Store) AddFlowCounts(ctx context.Context, list []flow.Count) error {
	return s.relaxed(ctx, func(ctx context.Context, t tx) error {
		for _, c := range list {
			if _, err := t.exec(ctx, `INSERT INTO flow_counts (flow, hour, what, n) VALUES (?, ?, ?, ?)
ON CONFLICT (flow, hour, what) DO UPDATE SET n = flow_counts.n + excluded.n`, text(c.Flow), c.Hour, text(c.What), c.N); err != nil {
				return err
			}
		}
		return nil
	})
}

// FlowCounts implements flow.Counts.
func (s *Store) FlowCounts(ctx context.Context, id wa.FlowID, from, to int64) (out []flow.Count, err error) {
	err = s.query(ctx, s.db, "SELECT hour, what, n FROM flow_counts WHERE flow = ? AND hour >= ? AND hour < ? ORDER BY hour, what",
		[]any{text(id), from, to}, func(r *sql.Rows) error {
			c := flow.Count{Flow: id}
			if err := r.Scan(&c.Hour, &c.What, &c.N); err != nil {
				return err
			}
			c.What = plain(c.What)
			out = append(out, c)
			return nil
		})
	return out, wrap("read the counts of a flow", err)
}

// ForgetFlowCounts implements flow.Counts.
func (s *Store) ForgetFlowCounts(ctx context.Context, before int64) error {
	return s.change(ctx, "forget counts of flows", "DELETE FROM flow_counts WHERE hour < ?", before)
}
