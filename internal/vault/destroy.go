package vault

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// DestroyContent destroys the content keys whose period ended at or before the given time, and returns how many. What was
// sealed under them cannot be opened any more, here at once and on other nodes after their own call.
func (v *Vault) DestroyContent(ctx context.Context, before time.Time) (int, error) {
	n, err := v.destroy(ctx, func(k *DataKey) bool { return k.Class == ClassContent && k.Ends <= before.UnixMilli() })
	if err != nil {
		return 0, fmt.Errorf("destroy content keys: %w", err)
	}
	return n, nil
}

// DestroyNumbers destroys the keys of phone numbers, and returns how many: their identities, prekeys and sessions are gone.
// Nothing must be sealed for such a number afterwards: it would get a new key.
func (v *Vault) DestroyNumbers(ctx context.Context, numbers []string) (int, error) {
	if len(numbers) == 0 {
		return 0, nil
	}
	n, err := v.destroy(ctx, func(k *DataKey) bool { return k.Class == ClassNumber && slices.Contains(numbers, k.Scope) })
	if err != nil {
		return 0, fmt.Errorf("destroy keys of numbers: %w", err)
	}
	return n, nil
}

func (v *Vault) destroy(ctx context.Context, match func(*DataKey) bool) (int, error) {
	v.change.Lock()
	defer v.change.Unlock()
	// Other nodes may have made keys that this one never saw, and they may be down when retention ends.
	rows, err := v.store.DataKeys(ctx)
	if err != nil {
		return 0, fmt.Errorf("read data keys: %w", err)
	}
	var ids []uint32
	for i := range rows {
		if len(rows[i].Wrapped) > 0 && match(&rows[i]) {
			ids = append(ids, rows[i].ID)
		}
	}
	if len(ids) > 0 {
		if err := v.store.DestroyDataKeys(ctx, ids); err != nil {
			return 0, err
		}
	}
	v.forget(rows, match)
	return len(ids), nil
}

// forget drops destroyed keys from memory, also those that another node destroyed.
func (v *Vault) forget(rows []DataKey, match func(*DataKey) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range rows {
		row := rows[i]
		if len(row.Wrapped) > 0 && !match(&row) {
			continue
		}
		row.Wrapped = nil
		old := v.keys[row.ID]
		v.keys[row.ID] = &dataKey{row: row}
		if s := (slot{row.Class, row.Scope}); old != nil && v.current[s] == old {
			delete(v.current, s)
		}
	}
}

// RotateRoot wraps every data key again, under next, and uses next from then on. Rows are rewritten, contents are not. The
// caller keeps both root keys where the next start finds them until RotateRoot has returned, then removes the old one; a
// root made of both (see [ParseRoot]) opens everything in between. It returns the number of keys.
func (v *Vault) RotateRoot(ctx context.Context, next *Root) (int, error) {
	v.change.Lock()
	defer v.change.Unlock()
	rows, err := v.store.DataKeys(ctx)
	if err != nil {
		return 0, fmt.Errorf("read data keys: %w", err)
	}
	v.mu.RLock()
	root := v.root
	v.mu.RUnlock()
	both := &Root{keys: append(append([]rootKey{}, next.keys...), root.keys...)}
	out := make([]DataKey, 0, len(rows))
	for _, row := range rows {
		if len(row.Wrapped) == 0 {
			continue
		}
		plain, err := both.unwrapKey(&row)
		if err != nil {
			return 0, err
		}
		err = next.wrapKey(&row, plain, v.rand)
		clear(plain)
		if err != nil {
			return 0, err
		}
		out = append(out, row)
	}
	if err := v.store.RewrapDataKeys(ctx, out); err != nil {
		return 0, fmt.Errorf("store data keys: %w", err)
	}
	v.mu.Lock()
	// Keys not yet unwrapped still hold the old wrapped form, so memory keeps both roots; keys are not taken over from the
	// new rows because their counts of uses and their open ciphers would be lost.
	v.root = both
	v.mu.Unlock()
	brief, err := v.rewrapBriefs(both, next)
	if err != nil {
		return 0, fmt.Errorf("store brief keys: %w", err)
	}
	return len(out) + brief, nil
}
