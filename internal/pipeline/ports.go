package pipeline

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Store is the read side the lanes load from, and where the projector writes. Implementations are safe for concurrent use.
type Store interface {
	// Position is the last frame of the partition that was applied; 0 for none.
	Position(ctx context.Context, partition int) (uint64, error)
	// Apply writes b in one transaction with its position.
	Apply(ctx context.Context, b *Batch) error
	// Peers returns the known pairs among keys, with their sessions; unknown ones are left out.
	Peers(ctx context.Context, keys []PeerKey) ([]Peer, error)
	// Acquainted returns the numbers that have a pair with the user.
	Acquainted(ctx context.Context, user wa.WaID) ([]wa.PhoneNumberID, error)
	// Messages returns the known rows among ids.
	Messages(ctx context.Context, ids []wa.MessageID) ([]*Message, error)
	// Engaged returns what users did about the messages for the first time.
	Engaged(ctx context.Context, ids []wa.MessageID) ([]Engagement, error)
	// Pending returns up to limit messages of the numbers in state accepted, oldest first, after the given id in that order.
	Pending(ctx context.Context, partition int, after wa.MessageID, limit int) ([]*Message, error)
	// ByClientID finds an inbound message by the device's own id; nil when there is none.
	ByClientID(ctx context.Context, device wa.DeviceID, clientID string) (*Message, error)
	// Undelivered returns up to limit messages to the user, from numbers of the partition, that were sent but not
	// delivered, oldest first.
	Undelivered(ctx context.Context, partition int, user wa.WaID, limit int) ([]*Message, error)
	// Stranded returns the users with messages from numbers of the partition that were sent to an installation which was
	// replaced since, and are in no mailbox any more.
	Stranded(ctx context.Context, partition int) ([]wa.WaID, error)
	// Expired returns up to limit messages of the partition that were sent but not delivered and whose life ended before
	// the given time (Unix milliseconds).
	Expired(ctx context.Context, partition int, before int64, limit int) ([]*Message, error)
}

// KeyStore keeps the keys of business numbers, sealed.
type KeyStore interface {
	// NumberKeys returns what SaveNumberKeys stored; nil when there is nothing.
	NumberKeys(ctx context.Context, number wa.PhoneNumberID) ([]byte, error)
	SaveNumberKeys(ctx context.Context, number wa.PhoneNumberID, sealed []byte) error
	// SaveOneTime stores a one-time prekey durably before its public part is handed out.
	SaveOneTime(ctx context.Context, number wa.PhoneNumberID, id uint32, sealed []byte, created time.Time) error
	// OneTime returns a one-time prekey; nil when it is unknown or used up.
	OneTime(ctx context.Context, number wa.PhoneNumberID, id uint32) ([]byte, error)
}

// Log is one partition of the journal, see the journal room.
type Log interface {
	Append(recs []record.Record, done func(seq uint64, err error)) error
	Next(ctx context.Context, after uint64) (*journal.Frame, error)
	Last() uint64
	SeqAt(ctx context.Context, t time.Time) (uint64, error)
	Resume(ctx context.Context) (last uint64, err error)
}

// Sealer keeps content unreadable on disk; see the vault room. Its calls are fast and safe for concurrent use.
type Sealer interface {
	// SealContent seals content. born is 0, or for a number without storage when the content came into being, in Unix
	// milliseconds: it can be opened for an hour after that and no longer.
	SealContent(born int64, ad, plain []byte) ([]byte, error)
	// IsBrief reports whether sealed can be opened for an hour and no longer.
	IsBrief(sealed []byte) bool
	SealNumber(number wa.PhoneNumberID, ad, plain []byte) ([]byte, error)
	Open(ad, sealed []byte) ([]byte, error)
}

// Numbers knows the business numbers. Both calls are in-memory reads.
type Numbers interface {
	Number(id wa.PhoneNumberID) (*business.Number, bool)
	NumberByWaID(id wa.WaID) (*business.Number, bool)
}

// User is a person on the user network as a lane needs to see them. It is immutable.
type User struct {
	WaID         wa.WaID
	Name         string // profile name
	IdentityHash string
	Devices      []Device
}

// Device is one device of a user. A session with it is void once either field differs from when the session began.
type Device struct {
	ID             wa.DeviceID
	Identity       signal.PublicKey
	RegistrationID uint32
}

// UserIDs maps users to their business-scoped ids. The answer must never change for a pair.
type UserIDs interface {
	// UserID is "" when there is none.
	UserID(waba wa.WABAID, user wa.WaID) string
}

// Directory knows the users. Calls may read SQL: lanes use it from their worker pools only.
type Directory interface {
	// User returns nil when nobody has this number.
	User(ctx context.Context, id wa.WaID) (*User, error)
	// Bundle hands out the prekeys of a device, a one-time prekey to one caller only.
	Bundle(ctx context.Context, device wa.DeviceID) (*signal.Bundle, error)
}

// Mailbox takes items for devices. Reserve, Put and Skip return at once.
type Mailbox interface {
	// Prepare makes the mailboxes ready for Reserve; it may read SQL.
	Prepare(ctx context.Context, devices []wa.DeviceID) error
	// Reserve allots the next position of the device's mailbox; 0 means that it was not prepared. Every reserved position
	// is later given to Put or Skip; nothing behind it is pushed before that.
	Reserve(device wa.DeviceID) (seq uint64)
	// Put hands over durable items; online devices get them at once.
	Put(items []*MailboxItem)
	// Flash pushes an event of the business number that is not stored to the user's connected devices.
	Flash(user, from wa.WaID, event []byte)
	// Skip says that a reserved position will never be filled.
	Skip(device wa.DeviceID, seq uint64)
}
