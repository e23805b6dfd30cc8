package network

import (
	"context"
	"crypto/ed25519"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Times in rows are Unix milliseconds of platform time, 0 for "not yet".

// User is a person. Values handed out by the Directory are snapshots that nobody changes.
type User struct {
	ID           string // "u_…"; never changes, not even with the number
	WaID         wa.WaID
	Generation   uint32 // steps when the number changes; business-scoped ids are made of ID and this
	Name         string // profile name
	Username     string
	HideReads    bool // read receipts are off
	IdentityHash string
	PIN          []byte // salted hash; nil when two-step verification is off
	PINTries     int    // wrong ones since the last right one
	PINPause     int64  // no PIN is accepted before this time
	Created      int64
	Seen         int64     // a device registered or connected, to the hour
	Devices      []*Device // ascending by number; the first is the primary
}

// Device is a device of a user, without its prekeys.
type Device struct {
	ID             wa.DeviceID
	Name           string
	Platform       frame.Platform
	IdentityKey    signal.PublicKey
	AuthKey        ed25519.PublicKey
	RegistrationID uint32
	SignedAt       int64  // when the signed prekey was uploaded
	Base           uint64 // mailbox positions up to here belonged to an earlier registration
	Created        int64
	Seen           int64
}

// Device finds a device by id; nil when the user has no such device.
func (u *User) Device(id wa.DeviceID) *Device {
	for _, d := range u.Devices {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// KeySet holds the public prekeys of a device. In an update nil and zero fields leave what is stored.
type KeySet struct {
	Signed  *frame.SignedKey
	KEM     *frame.SignedKey
	At      int64              // when Signed was uploaded; also kept in Device.SignedAt
	OneTime []frame.OneTimeKey // to be added; empty when read
}

// NewDevice is a registration: User with exactly one device in Devices, and its keys.
type NewDevice struct {
	User *User
	Keys KeySet
	News *News // nil when nobody need hear of it
}

// News is what businesses that know a person have yet to be told: another identity, or another number. It is written with
// the registration that it follows from, so that a crash repeats it and never loses it.
type News struct {
	ID     string // orders news: later ones sort behind earlier ones
	Person string // User.ID
	WaID   wa.WaID
	Was    wa.WaID // the number before; empty when it is the same
	Name   string  // the profile name
}

// DirectoryStore keeps users, devices and prekeys. Rows handed in and out are not changed afterwards by either side.
type DirectoryStore interface {
	// User returns the user with its devices; nil when nobody has this number.
	User(ctx context.Context, id wa.WaID) (*User, error)
	// Users returns up to limit users with their devices, ascending by WaID, after the given one.
	Users(ctx context.Context, after wa.WaID, limit int) ([]*User, error)
	CountUsers(ctx context.Context) (int, error)
	// SaveUser updates the row of the user, found by User.ID, without its devices.
	SaveUser(ctx context.Context, u *User) error
	// Register writes registrations in one transaction: the user's row is inserted, or updated by User.ID (also its WaID);
	// all its devices and their prekeys are removed, and mailbox items up to Device.Base; the new device and keys are
	// inserted, and so is the news.
	Register(ctx context.Context, list []NewDevice) error
	// News returns up to limit news that were not yet told, in their order, behind the id after. LastNews is the id of the
	// last of them, empty when there are none. Told removes news.
	News(ctx context.Context, after string, limit int) ([]*News, error)
	LastNews(ctx context.Context) (string, error)
	Told(ctx context.Context, ids []string) error
	// RemoveDevice removes a device, its prekeys and its mailbox items.
	RemoveDevice(ctx context.Context, id wa.DeviceID) error
	// Touch sets Seen of the device and of its user.
	Touch(ctx context.Context, id wa.DeviceID, at int64) error
	// Keys returns the signed prekey and the KEM prekey; nil when there is no such device.
	Keys(ctx context.Context, id wa.DeviceID) (*KeySet, error)
	// SaveKeys updates the keys of a device in one transaction and returns how many one-time prekeys it has now. A one-time
	// prekey whose id is stored already replaces it.
	SaveKeys(ctx context.Context, id wa.DeviceID, k *KeySet) (oneTimeLeft int, err error)
	// TakeOneTime removes a one-time prekey durably and returns it, with the number left; nil when there is none. No two
	// calls return the same key.
	TakeOneTime(ctx context.Context, id wa.DeviceID) (k *frame.OneTimeKey, left int, err error)
	OneTimeLeft(ctx context.Context, id wa.DeviceID) (int, error)
	// DropOneTime removes all one-time prekeys of the device.
	DropOneTime(ctx context.Context, id wa.DeviceID) error
}

// Code is a verification code that was sent to a number.
type Code struct {
	ID      string // "cd_…"
	Phone   wa.WaID
	Salt    []byte
	Hash    []byte
	Tries   int // used up so far
	Expires int64
}

// CodeStore keeps verification codes.
type CodeStore interface {
	// SaveCode inserts or replaces the row. Rows that expired an hour ago may be removed at any time.
	SaveCode(ctx context.Context, c *Code) error
	// TryCode adds one to Tries, atomically, and returns the row after that; nil when there is none.
	TryCode(ctx context.Context, id string) (*Code, error)
	DeleteCode(ctx context.Context, id string) error
}

// Top describes the mailbox of a device as the store has it.
type Top struct {
	Device wa.DeviceID
	Seq    uint64 // the highest position that was ever used, also of items that are gone; at least Base
	Base   uint64 // Device.Base
	Items  int    // items above Base
	Bytes  int64  // their content
}

// MailboxStore reads what the projector keeps of mailboxes.
type MailboxStore interface {
	// MailboxTops returns one entry per device, in the same order; zeros for unknown devices.
	MailboxTops(ctx context.Context, devices []wa.DeviceID) ([]Top, error)
	// MailboxAfter returns up to limit items of the device with Seq above after, ascending.
	MailboxAfter(ctx context.Context, device wa.DeviceID, after uint64, limit int) ([]*Item, error)
}

// Item is a mailbox item. It has the fields of the pipeline's row in the same order, so that one converts to the other.
type Item struct {
	Device  wa.DeviceID
	Seq     uint64
	ID      wa.MessageID // empty for events
	Number  wa.PhoneNumberID
	At      int64
	Expires int64 // 0 for never
	PreKey  bool
	Silent  bool
	Cipher  []byte // nil for events
	Event   []byte // JSON of frame.Event; nil for ciphertext
}

func (t *Item) size() int64 { return int64(len(t.Cipher) + len(t.Event)) }

// Ref names a position of a mailbox.
type Ref struct {
	Device wa.DeviceID
	Seq    uint64
}
