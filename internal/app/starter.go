package app

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

const (
	rootKeyFile = "root.key"
	planFile    = "starter.sealed"
	planPurpose = "starter"
	// StarterUser is the phone of the sandbox's user unless the configuration names another.
	StarterUser     = "16505555555"
	starterUserName = "Sandbox User"
)

// Plan is what the first start decided about the starter resources. It is sealed under the root key in the data directory:
// `hikyaku env` reads it, and a start that died half way goes on with it.
type Plan struct {
	Done        bool             `json:"done"`
	BusinessID  wa.BusinessID    `json:"business_id"`
	AppID       wa.AppID         `json:"app_id"`
	AppSecret   string           `json:"app_secret"`
	VerifyToken string           `json:"verify_token"`
	WABAID      wa.WABAID        `json:"waba_id"`
	NumberID    wa.PhoneNumberID `json:"number_id"`
	NumberWaID  wa.WaID          `json:"number_wa_id"`
	SystemUser  wa.SystemUserID  `json:"system_user_id"`
	Token       string           `json:"token"`
	UserPhone   wa.WaID          `json:"user_phone"`
	UserName    string           `json:"user_name"`
	Pepper      string           `json:"pepper"` // token hashes and business-scoped user ids are keyed with it
	Live        bool             `json:"live,omitempty"`
	Recipients  string           `json:"recipients,omitempty"` // joined with commas, so that plans can be compared

	BusinessName, WABAName, NumberName, AppName, SystemUserName string

	// Where the platform listens; kept up to date by every start.
	BaseURL    string `json:"base_url"`
	ControlURL string `json:"control_url"`
	Sandbox    bool   `json:"sandbox"`
}

// String keeps the secrets of a plan out of logs.
func (p *Plan) String() string { return "starter plan of " + string(p.BusinessID) }

// drawPlan fills in what the configuration leaves open.
func drawPlan(c *Config, r, secret io.Reader) (*Plan, error) {
	p := &Plan{
		BusinessID: c.Business.ID, BusinessName: c.Business.Name, AppID: c.App.ID, AppName: c.App.Name,
		AppSecret: c.App.Secret, VerifyToken: c.App.VerifyToken, WABAID: c.WABA.ID, WABAName: c.WABA.Name,
		NumberID: c.Number.ID, NumberName: c.Number.Name, SystemUser: c.SystemUser.ID, SystemUserName: c.SystemUser.Name,
		Token: c.Token, UserPhone: StarterUser, UserName: starterUserName,
	}
	var err error
	set := func(s *string, draw func() (string, error)) {
		if *s == "" && err == nil {
			*s, err = draw()
		}
	}
	id := func() (string, error) { return business.NewID(r) }
	set((*string)(&p.BusinessID), id)
	set((*string)(&p.AppID), id)
	set((*string)(&p.WABAID), id)
	set((*string)(&p.NumberID), id)
	set((*string)(&p.SystemUser), id)
	// Secrets never come from a seed, whatever the options say.
	set(&p.AppSecret, func() (string, error) { return randomHex(secret, 16) })
	set(&p.VerifyToken, func() (string, error) { return randomHex(secret, 16) })
	set(&p.Pepper, func() (string, error) { return randomHex(secret, 32) })
	set(&p.AppName, func() (string, error) { return "Test App", nil })
	set(&p.SystemUserName, func() (string, error) { return "Starter", nil })
	if err == nil && c.Number.Phone != "" {
		p.NumberWaID, err = wa.ParsePhone(c.Number.Phone)
	}
	p.Live = c.Number.Live
	var recipients []string
	for _, phone := range c.Number.Recipients {
		if err == nil {
			var id wa.WaID
			id, err = wa.ParsePhone(phone)
			recipients = append(recipients, string(id))
		}
	}
	p.Recipients = strings.Join(recipients, ",")
	if err == nil && c.User.Phone != "" {
		p.UserPhone, err = wa.ParsePhone(c.User.Phone)
	}
	if c.User.Name != "" {
		p.UserName = c.User.Name
	}
	if err != nil {
		return nil, fmt.Errorf("plan starter resources: %w", err)
	}
	return p, nil
}

func randomHex(r io.Reader, n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

func loadPlan(root *vault.Root, path string) (*Plan, error) {
	b, err := root.OpenFile(path, planPurpose)
	if err != nil {
		return nil, err
	}
	p := &Plan{}
	if err := json.Unmarshal(b, p); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return p, nil
}

func savePlan(root *vault.Root, path string, p *Plan) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := root.SealFile(path, planPurpose, b); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// rules are the rooms that hold resources.
type rules struct {
	access   *access.Service
	business *business.Service
	template *template.Service
	groups   *template.Groups
	flow     *flow.Service
	subs     *webhook.Service
}

// openPlan reads the plan of the first start, or makes it.
func openPlan(o *Options, root *vault.Root, path string, draw io.Reader) (*Plan, error) {
	p, err := loadPlan(root, path)
	if !errors.Is(err, os.ErrNotExist) {
		return p, err
	}
	c, err := ReadConfig(o.Config)
	if err != nil {
		return nil, err
	}
	if p, err = drawPlan(c, draw, o.random("secrets")); err != nil {
		return nil, err
	}
	return p, savePlan(root, path, p)
}

// startResources makes the starter resources once. If the process dies in between, the next start finds the plan and makes
// what is missing. Source: spec/business.md section 8.
func startResources(ctx context.Context, r *rules, o *Options, root *vault.Root, path string, p *Plan) error {
	if p.Done {
		return nil
	}
	if err := makeResources(ctx, r, p, o.Sandbox && !o.Strict); err != nil {
		return err
	}
	p.Done = true
	return savePlan(root, path, p)
}

// makeResources makes what is not there yet. Source: spec/manager.md section 7.1.
func makeResources(ctx context.Context, r *rules, p *Plan, open bool) error {
	if _, ok := r.business.Portfolio(p.BusinessID); !ok {
		_, _, n, err := r.business.CreateStarter(ctx, business.Starter{
			BusinessID: p.BusinessID, BusinessName: p.BusinessName, WABAID: p.WABAID, WABAName: p.WABAName,
			PhoneNumberID: p.NumberID, WaID: p.NumberWaID, VerifiedName: p.NumberName, AllowAll: open,
		})
		if err != nil {
			return err
		}
		p.NumberWaID = n.WaID
		if err := openNumber(ctx, r.business, p); err != nil {
			return err
		}
	} else if n, ok := r.business.Number(p.NumberID); ok {
		p.NumberWaID = n.WaID
	}
	if _, ok := r.access.App(p.AppID); !ok {
		if _, err := r.access.CreateApp(ctx, access.NewApp{
			ID: p.AppID, Name: p.AppName, Business: p.BusinessID, Mode: access.LiveMode,
			Secret: access.Secret(p.AppSecret), VerifyToken: access.Secret(p.VerifyToken),
		}); err != nil {
			return err
		}
	}
	if _, ok := r.access.SystemUser(p.SystemUser); !ok {
		if _, err := r.access.CreateSystemUser(ctx, access.SystemUser{
			ID: p.SystemUser, Business: p.BusinessID, Name: p.SystemUserName, Role: access.Admin, Installed: []wa.AppID{p.AppID},
		}); err != nil {
			return err
		}
	}
	if _, err := r.template.Find(p.WABAID, "hello_world", "en_US"); err != nil {
		if _, err := r.template.CreateSample(ctx, p.WABAID, ""); err != nil {
			return err
		}
	}
	if err := r.subs.Link(ctx, p.AppID, p.WABAID, "", ""); err != nil {
		return err
	}
	return makeToken(ctx, r, p)
}

// openNumber lets the declared number write to whom the configuration says.
func openNumber(ctx context.Context, s *business.Service, p *Plan) error {
	for user := range strings.SplitSeq(p.Recipients, ",") {
		if user == "" {
			continue
		}
		if _, err := s.AllowRecipient(ctx, p.NumberID, wa.WaID(user)); err != nil {
			return fmt.Errorf("allow recipient …%s: %w", tail(user), err)
		}
	}
	if !p.Live {
		return nil
	}
	_, err := s.UpdateNumber(ctx, p.NumberID, func(n *business.Number) error {
		n.Mode = business.Live
		return nil
	})
	return err
}

func makeToken(ctx context.Context, r *rules, p *Plan) error {
	spec := access.TokenSpec{
		Type: access.SystemUserToken, App: p.AppID, Actor: string(p.SystemUser), Label: "starter",
		Scopes: []access.Scope{access.BusinessManagement, access.Management, access.Messaging},
	}
	if p.Token != "" {
		_, err := r.access.Declare(ctx, access.Secret(p.Token), spec)
		return err
	}
	// A token issued by a start that died before the plan was saved is lost and harmless; this one takes its place.
	secret, _, err := r.access.Issue(ctx, spec)
	p.Token = string(secret)
	return err
}

// Variable is a line of `hikyaku env`.
type Variable struct{ Key, Value string }

// Variables are what a client needs, in the order of the command line's contract.
func (p *Plan) Variables() []Variable {
	return []Variable{
		{"BASE_URL", p.BaseURL},
		{"TOKEN", p.Token},
		{"GRAPH_VERSION", GraphVersion},
		{"APP_ID", string(p.AppID)},
		{"APP_SECRET", p.AppSecret},
		{"VERIFY_TOKEN", p.VerifyToken},
		{"BUSINESS_ID", string(p.BusinessID)},
		{"WABA_ID", string(p.WABAID)},
		{"PHONE_NUMBER_ID", string(p.NumberID)},
		{"DISPLAY_PHONE_NUMBER", wa.Display(p.NumberWaID)},
		{"USER_PHONE", "+" + string(p.UserPhone)},
		{"CONTROL_URL", p.ControlURL},
		{"MANAGER_URL", p.managerURL()},
	}
}

// managerURL is the bookmark of the starter portfolio's overview.
func (p *Plan) managerURL() string {
	return strings.TrimSuffix(p.BaseURL, "/") + "/wa/manage/home/?business_id=" + string(p.BusinessID)
}

// GraphVersion is what examples and `hikyaku env` use.
const GraphVersion = "v23.0"

// ReadPlan reads the starter variables of a data directory without opening its databases.
func ReadPlan(o Options) (*Plan, error) {
	o.defaults()
	root, err := readRoot(&o)
	if err != nil {
		return nil, err
	}
	p, err := loadPlan(root, o.Data+"/"+planFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no platform yet; start one with: hikyaku serve --data %s", o.Data, o.Data)
	}
	return p, err
}
