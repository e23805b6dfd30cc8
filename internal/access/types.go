package access

import (
	"log/slog"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// App is a registered client of the API. Source: spec/access.md section 2.
type App struct {
	ID            wa.AppID
	Name          string
	Business      wa.BusinessID // portfolio that owns it
	Link          string
	Category      string
	Namespace     string
	Mode          AppMode
	Advanced      []Scope  // scopes with advanced access: other portfolios' assets too; all others are standard
	Redirects     []string // where the log-in dialog may send people, compared as they are
	RequireProof  bool     // calls with user and system user tokens need appsecret_proof
	Secret        []byte   // sealed, 32 lower-case hex characters
	VerifyToken   []byte   // sealed
	SecretChanged time.Time
	Created       time.Time
	Removed       time.Time // zero unless it was removed: only what happened before is still signed with its secret
}

// LogValue keeps sealed bytes out of logs.
func (a *App) LogValue() slog.Value { return slog.StringValue(string(a.ID)) }

// AppMode says who may grant an app access.
type AppMode string

// The modes of an app.
const (
	Development AppMode = "development"
	LiveMode    AppMode = "live"
)

// Scope is a permission of a token. Source: spec/access.md section 9.1.
type Scope string

// The scopes.
const (
	Management         Scope = "whatsapp_business_management"
	Messaging          Scope = "whatsapp_business_messaging"
	BusinessManagement Scope = "business_management"
	ManageEvents       Scope = "whatsapp_business_manage_events"
	AdsRead            Scope = "ads_read"
	CatalogManagement  Scope = "catalog_management"
	PublicProfile      Scope = "public_profile" // always granted
)

// Task is what a person or system user may do with a WABA. Source: spec/access.md section 8.2.
type Task string

// The tasks. Manage and FullControl imply all others.
const (
	Manage              Task = "MANAGE"
	FullControl         Task = "FULL_CONTROL"
	Develop             Task = "DEVELOP"
	MessagingTask       Task = "MESSAGING"
	ManageTemplates     Task = "MANAGE_TEMPLATES"
	ViewTemplates       Task = "VIEW_TEMPLATES"
	ManagePhone         Task = "MANAGE_PHONE"
	ViewPhoneAssets     Task = "VIEW_PHONE_ASSETS"
	ManagePhoneAssets   Task = "MANAGE_PHONE_ASSETS"
	ManageExtensions    Task = "MANAGE_EXTENSIONS"
	ViewCost            Task = "VIEW_COST"
	ViewInsights        Task = "VIEW_INSIGHTS"
	ManageUsers         Task = "MANAGE_USERS"
	ManageBilling       Task = "MANAGE_BILLING"
	ReceiveIncomingTask Task = "RECEIVE_INCOMING_MESSAGES"
)

// Role of an actor in a portfolio.
type Role string

// Admins reach every asset of the portfolio, employees those assigned to them.
const (
	Admin    Role = "ADMIN"
	Employee Role = "EMPLOYEE"
)

// Membership makes an actor part of a portfolio.
type Membership struct {
	Business wa.BusinessID
	Role     Role
	Since    time.Time // zero: from the start
}

// Assignment gives an actor tasks on a WABA.
type Assignment struct {
	WABA  wa.WABAID
	Tasks []Task
	Since time.Time // zero: not known
}

// SystemUser is a machine account inside one portfolio. It cannot be deleted. Source: spec/access.md section 7.
type SystemUser struct {
	ID        wa.SystemUserID
	Business  wa.BusinessID
	Name      string
	Role      Role
	Client    wa.BusinessID // business integration system user: the client it was made for; empty otherwise
	Installed []wa.AppID    // apps that may issue tokens for it
	Assigned  []Assignment
	Created   time.Time
	CreatedBy string // actor id
}

// Person is a human account.
type Person struct {
	ID       string // digits
	Name     string
	Email    string
	Member   []Membership
	Assigned []Assignment
	Password []byte // salt and hash; nil: cannot log in
	Rounds   int    // that the hash was made with
	Claimed  bool   // made through a link: nobody but its holder says that Email is theirs, so invitations are accepted by their links alone
	Created  time.Time
}

// LogValue keeps addresses and hashes out of logs.
func (p *Person) LogValue() slog.Value { return slog.StringValue(p.ID) }

// TokenType is debug_token.type.
type TokenType string

// The kinds of tokens.
const (
	UserToken       TokenType = "USER"
	SystemUserToken TokenType = "SYSTEM_USER"
	AppToken        TokenType = "APP"
)

// Token is what is known of an issued token; the token itself is not among it. Source: spec/access.md sections 4 and 6.
type Token struct {
	Hash     [32]byte // HMAC-SHA256 of the token under the pepper
	Type     TokenType
	App      wa.AppID
	Actor    string // id of a person or system user; empty for app tokens
	Scopes   []Scope
	Granular []Grant   // scopes restricted to assets, newest asset first
	Issued   time.Time // zero is not allowed
	Expires  time.Time // zero: never
	Access   time.Time // data_access_expires_at; zero: never
	Revoked  time.Time // zero: not revoked
	Why      Reason    // of the revocation
	Fixed    bool      // declared by configuration, any syntax
	Label    string    // for people: "starter"
	Sealed   []byte    // the token, sealed, when the operator must be able to read it again; nil otherwise

	used *use
}

// LogValue implements slog.LogValuer.
func (t *Token) LogValue() slog.Value {
	return slog.GroupValue(slog.String("app_id", string(t.App)), slog.String("type", string(t.Type)))
}

// Grant restricts a scope to assets.
type Grant struct {
	Scope   Scope
	Targets []string // ids of WABAs or portfolios
}

// Reason says why a token ended before its time; it chooses the subcode of 190.
type Reason string

// The reasons. Source: spec/errors.md section 5.1.
const (
	LoggedOut       Reason = "logged_out"       // 467: revoked, or logged out
	AppRemoved      Reason = "app_removed"      // 458
	PasswordChanged Reason = "password_changed" // 460: also a reset of the app secret
)

// Secret is a value that must not be printed. Convert it to string where it is really needed.
type Secret string

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// String implements fmt.Stringer.
func (Secret) String() string { return "[redacted]" }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return "[redacted]" }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }
