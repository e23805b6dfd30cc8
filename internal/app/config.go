package app

import (
	"fmt"
	"os"

	"github.com/goccy/go-yaml"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Config declares the starter resources instead of drawing them, so that clients under test can be given ids and a token
// in advance. Every field may be left out. What declares resources counts at the first start of a data directory.
type Config struct {
	Business struct {
		ID   wa.BusinessID `yaml:"id"`
		Name string        `yaml:"name"`
	} `yaml:"business"`
	App struct {
		ID          wa.AppID `yaml:"id"`
		Name        string   `yaml:"name"`
		Secret      string   `yaml:"secret"`       // 32 lower-case hex characters
		VerifyToken string   `yaml:"verify_token"` // what the app's webhook endpoint expects
	} `yaml:"app"`
	WABA struct {
		ID   wa.WABAID `yaml:"id"`
		Name string    `yaml:"name"`
	} `yaml:"waba"`
	Number struct {
		ID    wa.PhoneNumberID `yaml:"id"`
		Phone string           `yaml:"phone"` // with or without plus sign
		Name  string           `yaml:"name"`  // display name
		// Live makes it an ordinary number, which may write to anybody, instead of a test number.
		Live bool `yaml:"live"`
		// Recipients are whom a test number may write to, at most five.
		Recipients []string `yaml:"recipients"`
	} `yaml:"number"`
	SystemUser struct {
		ID   wa.SystemUserID `yaml:"id"`
		Name string          `yaml:"name"`
	} `yaml:"system_user"`
	Token  string `yaml:"token"` // access token of the system user, 16 characters or more
	Access struct {
		// TokenCarriers counts at every start, unless the options say something else.
		TokenCarriers string `yaml:"token_carriers"`
	} `yaml:"access"`
	// Errors and Settings count at every start.
	Errors   Errors `yaml:"errors"`
	Settings `yaml:",inline"`
	User     struct {
		Phone string `yaml:"phone"` // the sandbox's starter user
		Name  string `yaml:"name"`
	} `yaml:"user"`
}

// maxConfig bounds the file; a real one has a few hundred bytes.
const maxConfig = 1 << 20

// ReadConfig reads a YAML file (JSON is YAML too). Unknown keys are errors: a misspelled id would otherwise be drawn.
func ReadConfig(path string) (*Config, error) {
	c := &Config{}
	if path == "" {
		return c, nil
	}
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxConfig {
		err = fmt.Errorf("larger than %d bytes", maxConfig)
	}
	if err != nil {
		return nil, fmt.Errorf("read --config: %w", err)
	}
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read --config: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(b, c, yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("read --config %s: %w", path, err)
	}
	for _, id := range []string{string(c.Business.ID), string(c.App.ID), string(c.WABA.ID), string(c.Number.ID), string(c.SystemUser.ID)} {
		if !digitsOnly(id) {
			return nil, fmt.Errorf("read --config %s: id %q is not made of digits", path, id)
		}
	}
	return c, nil
}

func digitsOnly(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return len(s) <= 17
}
