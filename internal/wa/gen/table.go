package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// row is one object of errors.json.
type row struct {
	Code       int        `json:"code"`
	Subcode    int        `json:"subcode"`
	Name       string     `json:"name"` // the Go variable; none for rows that are never raised
	Type       string     `json:"type"` // default "OAuthException"
	Title      string     `json:"title"`
	HTTP       int        `json:"http"`
	Channel    string     `json:"channel"`
	Family     string     `json:"family"`
	Bare       bool       `json:"bare"`
	Transient  bool       `json:"transient"`
	Details    string     `json:"details"`
	UserTitle  string     `json:"user_title"`
	UserMsg    string     `json:"user_msg"`
	Blame      [][]string `json:"blame"`
	When       string     `json:"when"`
	By         string     `json:"by"`
	Unverified bool       `json:"unverified"`
	Note       string     `json:"note"`
	Source     string     `json:"source"`
}

var (
	families = map[string]string{"graph": "FamilyGraph", "cloud": "FamilyCloud", "management": "FamilyManagement"}
	name     = regexp.MustCompile(`^Err[A-Z0-9][A-Za-z0-9]*$`)
	verb     = regexp.MustCompile(`%[sd]`)
)

// parse reads and checks the table; all faults are reported at once.
func parse(raw []byte) ([]row, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	var rows []row
	if err := dec.Decode(&rows); err != nil {
		return nil, fmt.Errorf("parse the table: %w", err)
	}
	var faults []error
	type key struct {
		code, subcode int
		name          string
	}
	seen, names := map[key]bool{}, map[string]bool{}
	for i := range rows {
		r := &rows[i]
		if r.Type == "" {
			r.Type = "OAuthException"
		}
		k := key{r.Code, r.Subcode, r.Name}
		if seen[k] || r.Name != "" && names[r.Name] {
			faults = append(faults, fmt.Errorf("row %d: duplicate %d/%d %s", i+1, r.Code, r.Subcode, r.Name))
		}
		seen[k], names[r.Name] = true, true
		if err := r.check(); err != nil {
			faults = append(faults, fmt.Errorf("row %d (%d/%d %s): %w", i+1, r.Code, r.Subcode, r.Name, err))
		}
	}
	return rows, errors.Join(faults...)
}

func (r *row) check() error {
	switch {
	case r.Name != "" && !name.MatchString(r.Name):
		return errors.New("name is no ErrX")
	case r.Name == "" && r.Channel != "":
		return errors.New("a row that is raised needs a name")
	case r.Name != "" && r.Channel == "":
		return errors.New("a row that is never raised has no name")
	case strings.Trim(r.Channel, "SFEMHT") != "":
		return fmt.Errorf("unknown channel %q", r.Channel)
	case strings.Contains(r.Channel, "S") && (r.HTTP < 200 || r.HTTP > 599):
		return fmt.Errorf("synchronous with HTTP status %d", r.HTTP)
	case families[r.Family] == "":
		return fmt.Errorf("unknown family %q", r.Family)
	case r.Title == "" || r.Source == "":
		return errors.New("title or source missing")
	case strings.Contains(verb.ReplaceAllString(r.Title+r.UserMsg, ""), "%"):
		return errors.New("a verb other than %s and %d")
	case strings.Contains(r.Details, "%"):
		return errors.New("default details cannot have verbs")
	}
	return nil
}
