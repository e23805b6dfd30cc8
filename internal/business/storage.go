package business

import (
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Regions are the countries that data can be kept in. Source: spec/phone_numbers.md section 4.4.
var Regions = []string{"AU", "ID", "IN", "JP", "SG", "KR", "DE", "CH", "GB", "BR", "BH", "ZA", "AE", "CA"}

// Storage says what of a number is kept, and where.
type Storage struct {
	Region string // the country that its data is kept in; empty: anywhere
	None   bool   // content is kept for BriefLife
}

// BriefLife is how long content of a number without storage lives: messages wait for their users so long, webhooks are tried so
// long, files can be fetched so long. Source: spec/security.md section A5.
const BriefLife = time.Hour

// NoStorage reports whether the number is without storage.
func (n *Number) NoStorage() bool { return !n.NoStorageFrom.IsZero() && n.NoStorageTo.IsZero() }

// Brief reports whether content that came into being at the given time, Unix milliseconds, lives for [BriefLife] only. It stays
// so when the number gets its storage back.
func (n *Number) Brief(born int64) bool {
	return !n.NoStorageFrom.IsZero() && born >= n.NoStorageFrom.UnixMilli() && (n.NoStorageTo.IsZero() || born < n.NoStorageTo.UnixMilli())
}

// leaveStorage begins and ends the time without storage. Who asks for it again soon has not had storage meanwhile: what is under
// way is still content of before.
func (n *Number) leaveStorage(on bool, now time.Time) {
	switch {
	case on == n.NoStorage():
	case !on:
		n.NoStorageTo = now
	case n.NoStorageFrom.IsZero() || now.Sub(n.NoStorageTo) > 2*BriefLife:
		n.NoStorageFrom, n.NoStorageTo = now, time.Time{}
	default:
		n.NoStorageTo = time.Time{}
	}
}

// storage is what n has; asked, when somebody asks for something else.
func (n *Number) storage(asked *Storage) Storage {
	if asked != nil {
		return *asked
	}
	return Storage{n.Region, n.NoStorage()}
}

// mayKeep refuses a storage that the number cannot have. Data is kept where the server runs: its own region is the only one that a
// number can ask for. That nothing is kept the operator grants.
func (s *Service) mayKeep(n *Number, c Storage) error {
	switch {
	case c == n.storage(nil):
		return nil
	case n.Registered:
		return wa.ErrInvalidParameter.Titled("Param storage_configuration can only be changed while the phone number is not registered.")
	case c.None && !n.NoStorageGranted:
		return wa.ErrInvalidParameter.Titled("The phone number may not be without storage: the operator of this server has not granted it.")
	}
	return s.keepsIn(c.Region)
}

// keep changes the storage of n.
func (n *Number) keep(c Storage, now time.Time) {
	n.Region = c.Region
	n.leaveStorage(c.None, now)
}

// keepsIn refuses regions that this server is not in.
func (s *Service) keepsIn(region string) error {
	switch {
	case region == "" || region == s.region:
		return nil
	case !slices.Contains(Regions, region):
		return wa.ErrInvalidParameter.Titled("Param data_localization_region must be one of {%s}.", strings.Join(Regions, ", "))
	case s.region == "":
		return wa.ErrInvalidParameter.Titled("This server has not been told the region it is in: it promises no storage in %s.", region)
	}
	return wa.ErrInvalidParameter.Titled("This server keeps data in %s, not in %s.", s.region, region)
}
