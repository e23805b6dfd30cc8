package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/flow/document"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// NewFlow is a flow as a caller asks for it.
type NewFlow struct {
	WABA       wa.WABAID
	App        wa.AppID // the caller's; it is linked to the flow
	Name       string
	Categories []Category
	Endpoint   string
	JSON       []byte    // nil: none yet
	Clone      wa.FlowID // whose document to copy; the caller has made sure that it may be read
	Publish    bool      // at once; needs JSON
}

// Create makes a flow. One that is to be published and has faults stays a draft; whatever else stands in the way of
// publishing leaves nothing behind. Errors: rows of code 100 and 139001, and those of [Service.Publish].
func (s *Service) Create(ctx context.Context, in NewFlow) (*Flow, error) {
	if err := s.checkNew(&in); err != nil {
		return nil, err
	}
	if in.Clone != "" {
		var err error
		if in.JSON, err = s.copied(ctx, in.Clone); err != nil {
			return nil, err
		}
	}
	f := &Flow{WABA: in.WABA, Name: in.Name, Status: Draft, Categories: in.Categories, Endpoint: in.Endpoint, App: in.App}
	if in.JSON != nil {
		if err := s.write(f, in.JSON); err != nil {
			return nil, err
		}
		if f.Endpoint != "" && f.Draft.Version != 0 && f.Draft.Version < uriByAPI {
			return nil, wa.ErrFlowEndpoint.User(wa.ErrFlowEndpoint.UserTitle, "Flows of Flow JSON before 3.0 say data_channel_uri in their JSON.")
		}
	}
	a := s.account(in.WABA)
	if in.Publish && len(f.Draft.Problems) == 0 {
		if err := s.free(a, f.Name); err != nil {
			return nil, err
		}
		if err := s.ready(ctx, f); err != nil { // asks the endpoint: nobody must wait for that
			return nil, err
		}
		s.live(f)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := s.free(a, f.Name); err != nil {
		return nil, err
	}
	return f, s.add(ctx, a, f, in.JSON)
}

// add stores a flow that is complete but for its id and times. The caller holds the account's mutex.
func (s *Service) add(ctx context.Context, a *account, f *Flow, json []byte) (err error) {
	if f.ID, err = s.newID(); err != nil {
		return err
	}
	if f.Status == Published {
		f.tellStatus(Draft)
	}
	f.Created = s.o.Clock.Now()
	f.Updated = f.Created
	return s.commit(ctx, a, f, json)
}

func (s *Service) checkNew(in *NewFlow) error {
	if err := checkName(in.Name); err != nil {
		return err
	}
	if err := checkCategories(in.Categories); err != nil {
		return err
	}
	switch {
	case in.Clone != "" && in.JSON != nil:
		return wa.ErrFlowCloneSource.User(wa.ErrFlowCloneSource.UserTitle, "Give clone_flow_id or flow_json, not both.")
	case in.Publish && in.JSON == nil:
		return wa.ErrParamRequired.Fill("flow_json")
	}
	return s.checkEndpoint(in.Endpoint)
}

// free says whether the account can have one more flow of this name: for good while the caller holds its mutex.
func (s *Service) free(a *account, name string) error {
	v := a.view.Load()
	if v.byName[name] != nil {
		return wa.ErrFlowName.User(wa.ErrFlowName.UserTitle, "A Flow with this name already exists in the account. Use another name.")
	}
	if len(v.list) >= s.o.MaxFlows {
		return wa.ErrInvalidParameter.User("Too many Flows", fmt.Sprintf("An account can have %d Flows. Delete drafts that are not needed.", s.o.MaxFlows))
	}
	return nil
}

// copied reads what a clone begins with: the live document, or the draft of a flow that was never published.
func (s *Service) copied(ctx context.Context, id wa.FlowID) ([]byte, error) {
	f, ok := s.Flow(id)
	if !ok {
		return nil, wa.ErrFlowMissing.User(wa.ErrFlowMissing.UserTitle, "The Flow to clone does not exist.")
	}
	n := f.Live.N
	if n == 0 {
		n = f.Draft.N
	}
	if f.Status == Blocked || n == 0 {
		return nil, wa.ErrInvalidParameter.User("Flow can't be cloned", "A Flow that is blocked, or has no Flow JSON, can't be cloned.")
	}
	return s.JSON(ctx, id, n)
}

// write makes json the draft of f. Error: [wa.ErrFlowUpdate] for what cannot be read at all.
func (s *Service) write(f *Flow, json []byte) error {
	if len(json) > MaxJSON {
		return wa.ErrFlowUpdate.User(wa.ErrFlowUpdate.UserTitle, "Flow JSON must not be larger than 10 MB.")
	}
	d, problems, err := document.ParseWith(json, s.checkURL)
	if err != nil {
		return wa.ErrFlowUpdate.User(wa.ErrFlowUpdate.UserTitle, "Error while processing Flow JSON: "+reason(err)).Because(err)
	}
	if err := unknownVersion(problems); err != nil {
		return err
	}
	r := Revision{
		N: max(f.Draft.N, f.Live.N) + 1, At: s.o.Clock.Now(), Version: d.Version, DataAPI: d.DataAPIVersion, Channel: d.DataChannelURI,
		Problems: problems,
	}
	for i := range min(len(d.Screens), maxScreens) {
		r.Screens = append(r.Screens, d.Screens[i].ID)
	}
	f.Draft = r
	return nil
}

// unknownVersion refuses a document of a version that there never was: nothing else can be said about it. Source: spec/flows.md
// section 12.
func unknownVersion(problems []document.Problem) error {
	for _, p := range problems {
		if p.Code != document.InvalidValue || len(p.Pointer) == 0 {
			continue
		}
		switch p.Pointer[0].Path {
		case "version":
			return wa.ErrFlowVersion.User(wa.ErrFlowVersion.UserTitle, p.Message)
		case "data_api_version":
			return wa.ErrFlowDataVersion.User(wa.ErrFlowDataVersion.UserTitle, p.Message)
		}
	}
	return nil
}

// reason is what a parser says, for people.
func reason(err error) string {
	const most = 300
	text := err.Error()
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most])
	}
	return text
}

func checkName(name string) error {
	if strings.TrimSpace(name) == "" {
		return wa.ErrParamRequired.Fill("name")
	}
	if utf8.RuneCountInString(name) > MaxName {
		return wa.ErrParamTooLong.Fill("name", MaxName)
	}
	return nil
}

func checkCategories(list []Category) error {
	if len(list) == 0 {
		return wa.ErrParamRequired.Fill("categories")
	}
	for i, c := range list {
		if !slices.Contains(Categories, c) || slices.Contains(list[:i], c) {
			names := make([]string, len(Categories))
			for j, n := range Categories {
				names[j] = string(n)
			}
			return wa.ErrParamType.Fill("categories", "a list of different ones of "+strings.Join(names, ", "))
		}
	}
	return nil
}

func (s *Service) checkEndpoint(uri string) error {
	if uri == "" {
		return nil
	}
	if err := s.checkURL(uri); err != nil {
		return wa.ErrParamType.Fill("endpoint_uri", "a public https URL").Because(err)
	}
	return nil
}

// checkURL refuses what may not be the address of an endpoint.
func (s *Service) checkURL(uri string) error {
	if len(uri) > MaxEndpoint {
		return errors.New("the URL of the endpoint is too long")
	}
	return s.o.CheckURL(uri)
}

// Change is what an update replaces; nil leaves a part as it is.
type Change struct {
	Name       *string
	Categories []Category
	Endpoint   *string // empty takes it away
	App        *wa.AppID
}

// Update changes what a flow is called and where it talks to. Errors: [ErrUnknown], rows of code 100, [wa.ErrFlowUpdate].
func (s *Service) Update(ctx context.Context, id wa.FlowID, c Change) (*Flow, error) {
	return s.change(ctx, id, func(f *Flow) ([]byte, error) {
		if err := editable(f); err != nil {
			return nil, err
		}
		if c.Name != nil && *c.Name != f.Name {
			if err := checkName(*c.Name); err != nil {
				return nil, err
			}
			if o, ok := s.Named(f.WABA, *c.Name); ok && o.ID != f.ID {
				return nil, wa.ErrFlowName.User(wa.ErrFlowName.UserTitle, "A Flow with this name already exists in the account. Use another name.")
			}
			f.Name = *c.Name
		}
		if c.Categories != nil {
			if err := checkCategories(c.Categories); err != nil {
				return nil, err
			}
			f.Categories = c.Categories
		}
		if c.Endpoint != nil {
			if err := s.checkEndpoint(*c.Endpoint); err != nil {
				return nil, err
			}
			if *c.Endpoint != "" && f.Draft.Version != 0 && f.Draft.Version < uriByAPI {
				return nil, wa.ErrFlowUpdate.User(wa.ErrFlowUpdate.UserTitle, "endpoint_uri is for Flow JSON 3.0 and later: earlier versions say data_channel_uri in their JSON.")
			}
			f.Endpoint = *c.Endpoint
		}
		if c.App != nil {
			f.App = *c.App
		}
		f.Updated = s.o.Clock.Now()
		return nil, nil
	})
}

// Upload replaces the draft's document. Faults of it are no error. Errors: [ErrUnknown], [wa.ErrFlowUpdate].
func (s *Service) Upload(ctx context.Context, id wa.FlowID, json []byte) (*Flow, error) {
	return s.change(ctx, id, func(f *Flow) ([]byte, error) {
		if err := editable(f); err != nil {
			return nil, err
		}
		f.Updated = s.o.Clock.Now()
		return json, s.write(f, json)
	})
}

func editable(f *Flow) error {
	if f.Status == Deprecated {
		return wa.ErrFlowUpdate.User(wa.ErrFlowUpdate.UserTitle, "A deprecated Flow can't be changed.")
	}
	return nil
}
