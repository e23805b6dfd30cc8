package business

import (
	"log/slog"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Portfolio is a business portfolio: the container of WABAs, apps, people and system users. Source: spec/business.md
// section 2.1.
type Portfolio struct {
	ID             wa.BusinessID
	Name           string
	Vertical       string        // upper case, "RETAIL"; empty when not given
	TimezoneID     int           // advertising time-zone number; 0 is unknown
	TwoFactor      string        // "none", "admin_required" or "all_required"
	Verification   Verification  // of the business
	MessagingLimit Tier          // whatsapp_business_manager_messaging_limit: users reached outside a window in 24 hours
	ReachLimit     int           // ours: people instead of those of the tier; 0 means those of the tier
	Raised         time.Time     `json:",omitzero"` // when the limit last grew by itself; zero for never
	Country        string        // primary location, ISO 3166 alpha-2; empty: that of each account
	International  International // rates of authentication templates to other countries
	Created        time.Time
	Updated        time.Time
	CreatedBy      Actor     // zero for the starter portfolio
	UpdatedBy      Actor     // who changed it last; zero for the platform
	Deleted        time.Time // zero unless deleted

	Credit      *CreditLine  // replaced as a whole; nil: none
	Allocations []Allocation // of the credit line, ended ones too

	Onboarding *Onboarding // of partners to the marketing messages API; nil: nobody asked
}

// Verification is the state of business verification; lower case on the wire.
type Verification string

// The verification states of spec/business.md section 2.1.
const (
	NotVerified         Verification = "not_verified"
	Verified            Verification = "verified"
	VerificationPending Verification = "pending"
	VerificationFailed  Verification = "failed"
	VerificationExpired Verification = "expired"
	VerificationRevoked Verification = "revoked"
	VerificationReject  Verification = "rejected"
)

// Verifications are the states that a verification can be put into.
var Verifications = []Verification{
	NotVerified, Verified, VerificationPending, VerificationFailed, VerificationExpired, VerificationRevoked, VerificationReject,
}

// Tier is a portfolio's messaging limit. Source: spec/business.md section 11.
type Tier string

// The messaging limits, in rising order; Untiered is not yet rated.
const (
	Untiered      Tier = "UNTIERED"
	Tier50        Tier = "TIER_50"
	Tier250       Tier = "TIER_250"
	Tier2K        Tier = "TIER_2K"
	Tier10K       Tier = "TIER_10K"
	Tier100K      Tier = "TIER_100K"
	TierUnlimited Tier = "TIER_UNLIMITED"
)

// Reach is how many people the portfolio's messages may reach outside customer service windows in 24 hours; -1 is no limit.
// Source: spec/limits.md section 3.1.
func (p *Portfolio) Reach() int {
	switch {
	case p.ReachLimit != 0:
		return p.ReachLimit
	case p.MessagingLimit == TierUnlimited:
		return -1
	case p.MessagingLimit == Tier100K:
		return 100_000
	case p.MessagingLimit == Tier10K:
		return 10_000
	case p.MessagingLimit == Tier2K:
		return 2000
	case p.MessagingLimit == Tier50:
		return 50
	}
	return 250
}

// WABA is a WhatsApp Business Account. Source: spec/business.md section 4.1.
type WABA struct {
	ID           wa.WABAID
	Owner        wa.BusinessID // exactly one
	Shared       []Share       // at most two
	Name         string
	Currency     string // ISO 4217
	Country      string // ISO 3166 alpha-2
	TimezoneID   string // a string on this node, "1"
	Namespace    string // message_template_namespace: 8_4_4_4_12 lower-case hex digits
	Status       WABAStatus
	Review       Review
	Test         bool   // the automatic test account: no payment needed, no messaging limit
	FundingID    string // primary_funding_id; empty when no payment method is attached
	PurchaseNote string // purchase_order_number
	Solution     string // id of the multi-partner solution that the owner signed up with; empty: none

	PaymentProblem bool // ours: charging the account fails, 131042

	Insights          bool      // is_enabled_for_insights; never goes back to false
	AutoArchival      bool      // template_auto_archival_enabled
	MarketingDisabled bool      // disable_marketing_messages_on_cloud_api: 131063
	ReviewAt          time.Time // when the account review is decided; zero when nothing waits
	Locked            bool      // account locked by enforcement: 131031
	Restricted        bool      // blocked for policy: 368
	Sanction          *Sanction // what enforcement takes, replaced as a whole; nil: nothing
	Closed            []string  // countries, ISO 3166 alpha-2, whose people it may not write to: 130497; replaced as a whole
	Misuse            Misuse    // of the utility category: 131064

	Created time.Time
	Updated time.Time
}

// Misuse is how often templates of an account were found to be marketing sold as utility, and until when the account may use
// the utility category no more. Source: spec/quality.md section 3.4.
type Misuse struct {
	Times   int       `json:",omitempty"`
	Until   time.Time `json:",omitzero"`
	Counted []string  `json:",omitempty"` // the last decisions that count, or were forgiven; replaced as a whole
}

// InForce reports whether the category is closed at now.
func (m Misuse) InForce(now time.Time) bool { return now.Before(m.Until) }

// Share gives a partner portfolio access to a WABA, limited to tasks. Source: spec/access.md section 10.
type Share struct {
	Business wa.BusinessID
	Tasks    []string  // spec/access.md section 8.2; "MANAGE" means all
	Since    time.Time // zero: not known
}

// WABAStatus is the state of an account.
type WABAStatus string

// The states of an account; all but active are unverified.
const (
	WABAActive    WABAStatus = "ACTIVE"
	WABAInactive  WABAStatus = "INACTIVE"
	WABADisabled  WABAStatus = "DISABLED"
	WABASuspended WABAStatus = "SUSPENDED"
	WABADeleted   WABAStatus = "DELETED" // ours: kept as a row, invisible to everyone
)

// Review is account_review_status.
type Review string

// The decisions of an account review.
const (
	ReviewPending  Review = "PENDING"
	ReviewApproved Review = "APPROVED"
	ReviewRejected Review = "REJECTED"
)

// Number is a business phone number. Source: spec/phone_numbers.md section 2.
type Number struct {
	ID       wa.PhoneNumberID
	WABA     wa.WABAID
	Business wa.BusinessID // owner of the WABA, kept here because lanes need it for every message

	WaID        wa.WaID // digits of the number on the user network; unique among live numbers
	Display     string  // display_phone_number: "+1 555-014-2233"
	CountryCode string  // ISO 3166 alpha-2: "US"
	DialCode    string  // country calling code without plus sign: "1"

	Ownership      Ownership        // the proof of ownership in progress
	CodeVerifiedAt time.Time        // zero when never
	Stale          bool             // the certificate of the registration is broken: sends answer 131045 until it is registered again
	MigratesFrom   wa.PhoneNumberID // the number that this one replaces once it is registered; empty otherwise
	Deleted        time.Time        // zero unless deleted, or migrated

	VerifiedName  string // display name in force
	NameStatus    NameStatus
	NewName       string // pending change; empty when there is none
	NewNameStatus NameStatus
	NameReview    time.Time // when the review is decided; zero when nothing waits for the clock

	Profile         *Profile // objects behind pointers are replaced, never changed; nil: nothing was set
	Automation      *Automation
	Commerce        *Commerce
	Compliance      *Compliance
	PublicKey       *PublicKey
	OfficialRequest *OfficialRequest
	Username        string
	UsernameStatus  UsernameStatus

	Status           NumberStatus
	CodeVerification CodeVerification
	Quality          Quality
	QualityAt        time.Time // when Quality last changed; zero when never rated
	Mode             Mode
	Platform         Platform
	Level            Level
	MPS              int   // messages per second set by the operator; 0 means that of the level
	Upgrade          Level // level that the number gets when MaintenanceUntil is over; empty for none

	Registered       bool      // may send and receive
	Sanction         *Sanction // what enforcement takes from this number alone, replaced as a whole; nil: nothing
	MaintenanceUntil time.Time // calls answer 131057 before this instant; zero when there is none
	PIN              PIN
	Calls            RegistrationCalls

	Payload *PayloadKeys // of encrypted sends, replaced as a whole; nil: off
	Region  string       // the country that its data is kept in, at its wish; empty: wherever the server runs

	NoStorageGranted bool      // the operator lets it be without storage
	NoStorageFrom    time.Time // content of what happens since then lives for BriefLife; zero: that was never asked for
	NoStorageTo      time.Time // until then; zero: still

	IdentityCheck    bool // user_identity_change.enable_identity_key_check
	OnBizApp         bool // is_on_biz_app: coexistence, fixed at 20 messages per second
	PlatformSupplied bool // a 555 number: needs an approved display name before it may send (131037)
	Preverified      bool // is_preverified_number
	Official         bool // is_official_business_account
	SearchHidden     bool // search_visibility NON_VISIBLE
	MultiConnect     bool // ours: ran with two or more shards on its own servers; moved with a backup it becomes HIGH at once
	Sink             bool // ours: accepts and processes, delivers nothing (load tests)

	Webhook Override

	AllowAll bool        // ours: the test number's recipient list is not enforced
	Allowed  []Recipient // at most five; only test numbers look at it
	Pending  []PendingRecipient

	Created       time.Time
	LastOnboarded time.Time // last successful registration; zero when never
}

// LogValue keeps the number itself, the PIN and the recipients out of logs.
func (n *Number) LogValue() slog.Value { return slog.StringValue(string(n.ID)) }

// NumberStatus is the life cycle state of a number. Source: spec/phone_numbers.md section 1.2.
type NumberStatus string

// The states of a number. Only a connected number sends and receives.
const (
	NumberPending      NumberStatus = "PENDING"
	NumberConnected    NumberStatus = "CONNECTED"
	NumberDisconnected NumberStatus = "DISCONNECTED"
	NumberMigrated     NumberStatus = "MIGRATED"
	NumberDeleted      NumberStatus = "DELETED"
	NumberFlagged      NumberStatus = "FLAGGED"
	NumberRestricted   NumberStatus = "RESTRICTED"
	NumberRateLimited  NumberStatus = "RATE_LIMITED"
	NumberBanned       NumberStatus = "BANNED"
)

// NameStatus is the state of a display name.
type NameStatus string

// The states of a display name.
const (
	NameApproved         NameStatus = "APPROVED"
	NameAvailableWithout NameStatus = "AVAILABLE_WITHOUT_REVIEW"
	NameDeclined         NameStatus = "DECLINED"
	NameExpired          NameStatus = "EXPIRED"
	NamePending          NameStatus = "PENDING_REVIEW"
	NameNone             NameStatus = "NONE"
)

// CodeVerification is code_verification_status.
type CodeVerification string

// The states of ownership verification by code.
const (
	CodeNotVerified CodeVerification = "NOT_VERIFIED"
	CodeVerified    CodeVerification = "VERIFIED"
	CodeExpired     CodeVerification = "EXPIRED"
)

// Quality is quality_rating.
type Quality string

// The quality ratings of a number.
const (
	QualityGreen   Quality = "GREEN"
	QualityYellow  Quality = "YELLOW"
	QualityRed     Quality = "RED"
	QualityUnknown Quality = "UNKNOWN"
)

// Mode is account_mode.
type Mode string

// Sandbox is a test number, Live any other.
const (
	Sandbox Mode = "SANDBOX"
	Live    Mode = "LIVE"
)

// Platform is platform_type.
type Platform string

// CloudAPI is a registered number, NotApplicable one that is not registered.
const (
	CloudAPI      Platform = "CLOUD_API"
	OnPremise     Platform = "ON_PREMISE"
	NotApplicable Platform = "NOT_APPLICABLE"
)

// Level is throughput.level.
type Level string

// The throughput levels. Source: spec/phone_numbers.md section 7.
const (
	Standard          Level = "STANDARD"
	High              Level = "HIGH"
	LevelNotAvailable Level = "NOT_APPLICABLE"
)

// Messages per second, inbound and outbound together. Source: spec/limits.md section 2.
const (
	StandardMPS    = 80
	HighMPS        = 1000
	CoexistenceMPS = 20
)

// Recipient is a person a test number may write to. Source: spec/business.md section 8.2.
type Recipient struct {
	User  wa.WaID
	Added time.Time
}

// MaxRecipients of a test number. Source: spec/business.md section 8.1.
const MaxRecipients = 5

// Override is the webhook destination of a single number. Source: spec/phone_numbers.md section 5.
type Override struct {
	URL         string // empty: no override
	VerifyToken []byte // sealed
}

// PIN is the two-step verification PIN, never kept in the clear, and the guesses against it.
type PIN struct {
	Salt   []byte // nil: two-step verification is off
	Hash   []byte // see pin.go
	Wrong  int    // wrong guesses since the last right one
	Last   time.Time
	Locked time.Time // no guesses before this instant; zero when not locked
}

// LogValue implements slog.LogValuer.
func (PIN) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// String implements fmt.Stringer, so that no format verb prints the hash.
func (PIN) String() string { return "[redacted]" }

// GoString implements fmt.GoStringer.
func (PIN) GoString() string { return "[redacted]" }

// RegistrationCalls counts register and deregister calls. Source: spec/phone_numbers.md section 4.5.
type RegistrationCalls struct {
	Register        []time.Time // within the last 72 hours, oldest first
	Deregister      []time.Time
	RegisterBlock   time.Time // blocked until; zero when not
	DeregisterBlock time.Time
}
