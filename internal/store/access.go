package store

import (
	"context"
	"encoding/hex"

	"github.com/hikyaku/hikyaku/internal/access"
)

// LoadAccess implements access.Store.
func (s *Store) LoadAccess(ctx context.Context) (*access.Set, error) {
	var (
		set access.Set
		err error
	)
	if set.Apps, err = loadDocs[access.App](ctx, s, "apps"); err != nil {
		return nil, err
	}
	if set.SystemUsers, err = loadDocs[access.SystemUser](ctx, s, "system_users"); err != nil {
		return nil, err
	}
	if set.People, err = loadDocs[access.Person](ctx, s, "people"); err != nil {
		return nil, err
	}
	if set.Tokens, err = loadDocs[access.Token](ctx, s, "tokens"); err != nil {
		return nil, err
	}
	if set.Invitations, err = loadDocs[access.Invitation](ctx, s, "invitations"); err != nil {
		return nil, err
	}
	if set.Sessions, err = loadDocs[access.Session](ctx, s, "logins"); err != nil {
		return nil, err
	}
	return &set, nil
}

// SaveAccess implements access.Store.
func (s *Store) SaveAccess(ctx context.Context, set *access.Set) error {
	return s.write(ctx, func(ctx context.Context, t tx) error {
		for _, a := range set.Apps {
			if err := saveDoc(ctx, t, "apps", string(a.ID), a); err != nil {
				return err
			}
		}
		for _, u := range set.SystemUsers {
			if err := saveDoc(ctx, t, "system_users", string(u.ID), u); err != nil {
				return err
			}
		}
		for _, p := range set.People {
			if err := saveDoc(ctx, t, "people", p.ID, p); err != nil {
				return err
			}
		}
		for _, k := range set.Tokens {
			if err := saveDoc(ctx, t, "tokens", hex.EncodeToString(k.Hash[:]), k); err != nil {
				return err
			}
		}
		for _, i := range set.Invitations {
			if err := saveDoc(ctx, t, "invitations", i.ID, i); err != nil {
				return err
			}
		}
		for _, x := range set.Sessions {
			if err := saveSession(ctx, t, x); err != nil {
				return err
			}
		}
		return nil
	})
}

func saveSession(ctx context.Context, t tx, x *access.Session) error {
	id := hex.EncodeToString(x.Hash[:])
	if !x.Ended {
		return saveDoc(ctx, t, "logins", id, x)
	}
	_, err := t.exec(ctx, "DELETE FROM logins WHERE id = ?", id)
	return err
}
