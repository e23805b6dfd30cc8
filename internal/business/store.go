package business

import "context"

// Set is a number of objects of each kind.
type Set struct {
	Portfolios []*Portfolio
	WABAs      []*WABA
	Numbers    []*Number

	// Of these, the ones that are marked as deleted, removed or gone leave the store.
	QRCodes        []*QRCode
	Preverified    []*Preverified
	Solutions      []*Solution
	Intents        []*Intent
	Certifications []*Certification
	Budgets        []*Budget

	Notices    []*Notice   // owed webhooks; loaded until they are delivered
	Delivered  []string    // ids of notices to forget
	Activities []*Activity // history; never loaded
}

// Store keeps the objects durably.
type Store interface {
	// LoadBusiness returns everything that was saved, in any order.
	LoadBusiness(ctx context.Context) (*Set, error)
	// SaveBusiness inserts or replaces every object of s by id, all in one transaction. When it returns nil, the objects
	// survive a crash of the machine. s and what it points to must not be changed or kept.
	SaveBusiness(ctx context.Context, s *Set) error
	// Activities returns entries of an account's history, the newest first.
	Activities(ctx context.Context, q ActivityQuery) ([]*Activity, error)
}
