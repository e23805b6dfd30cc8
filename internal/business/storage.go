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

// NoStorage reports whether the number is without storage: content that it gets now lives for [BriefLife].
func (n *Number) NoStorage() bool { return !n.NoStorageFrom.IsZero() && n.NoStorageTo.IsZero() }

// leaveStorage begins and ends the time without storage, for what comes from now on. What came before stays what it was: that is
// told by how it was sealed.
func (n *Number) leaveStorage(on bool, now time.Time) {
	switch {
	case on == n.NoStorage():
	case on:
		n.NoStorageFrom, n.NoStorageTo = now, time.Time{}
	default:
		n.NoStorageTo = now
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
// number can ask for. That nothing is kept the operator grants; a grant that is withdrawn before the registration was none.
func (s *Service) mayKeep(n *Number, c Storage) error {
	switch {
	case c.None && !n.NoStorageGranted && !n.Registered:
		return wa.ErrInvalidParameter.Titled("The phone number may not be without storage: the operator of this server has not granted it.")
	case c == n.storage(nil):
		return nil
	case n.Registered:
		return wa.ErrInvalidParameter.Titled("Param storage_configuration can only be changed while the phone number is not registered.")
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
