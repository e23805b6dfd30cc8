package access

import "context"

// Set is a number of objects of each kind.
type Set struct {
	Apps        []*App
	SystemUsers []*SystemUser
	People      []*Person
	Tokens      []*Token
	Invitations []*Invitation
	Sessions    []*Session // those marked as ended are removed
}

// Store keeps the objects durably.
type Store interface {
	// LoadAccess returns everything that was saved, in any order.
	LoadAccess(ctx context.Context) (*Set, error)
	// SaveAccess inserts or replaces every object of s (tokens and sessions by Hash, the others by ID) in one transaction. When it
	// returns nil, the objects survive a crash of the machine. s and what it points to must not be changed or kept.
	SaveAccess(ctx context.Context, s *Set) error
}

// Sealer encrypts what must be readable again. ad binds the result to its place: "app/{id}/secret",
// "app/{id}/verify_token", "token/{hash}".
type Sealer interface {
	Seal(ad, plain []byte) ([]byte, error)
	Open(ad, sealed []byte) ([]byte, error)
}
