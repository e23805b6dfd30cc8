package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// maxFlowUpload is a document with the form around it. JSON text in JSON may be longer than the document.
const maxFlowUpload = flow.MaxJSON + 1<<20

// flowError makes a row of what the room says about a flow that went away meanwhile.
func flowError(err error) error {
	if errors.Is(err, flow.ErrUnknown) {
		return graph.ErrInvisible
	}
	return err
}

// flowDone answers success, or what went wrong.
func flowDone(err error) (any, error) {
	if err != nil {
		return nil, flowError(err)
	}
	return graph.Success, nil
}

// mayFlows says whether the account may make and publish flows. Sources: spec/flows.md section 12, spec/quality.md section 5.
func (s *surface) mayFlows(w *business.WABA) error {
	switch {
	case w.Locked:
		return wa.ErrLocked
	case w.Writable(s.o.Clock.Now()) != nil:
		return wa.ErrFlowIntegrity.User(wa.ErrFlowIntegrity.UserTitle, "This account may not create or publish Flows.")
	}
	return nil
}

// mayMakeFlows says why a call that writes something else may not make a flow by the way.
func (s *surface) mayMakeFlows(c *graph.Call, w *business.WABA) error {
	e := endpoint{post, kindWABA, edgeFlows}
	r := rights[e]
	if err := refusal(c, e, r, who(c).May(asset(w), r.task, r.scopes...), typeWABA); err != nil {
		return err
	}
	return s.mayFlows(w)
}

func readCategories(v graph.Value) ([]flow.Category, error) {
	list, err := v.StringsOr()
	if err != nil {
		return nil, err
	}
	out := make([]flow.Category, len(list))
	for i, t := range list {
		out[i] = flow.Category(strings.ToUpper(t))
	}
	return out, nil
}

// createFlow is POST /{waba-id}/flows. Source: spec/flows.md section 2.
func (s *surface) createFlow(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	if err := s.mayFlows(w); err != nil {
		return nil, err
	}
	in := flow.NewFlow{WABA: w.ID, App: who(c).Caller.App.ID}
	var err error
	if in.Name, err = c.Params.Get("name").Str(); err != nil {
		return nil, err
	}
	if in.Categories, err = readCategories(c.Params.Get("categories")); err != nil {
		return nil, err
	}
	if in.Endpoint, err = readEndpoint(c.Params); err != nil {
		return nil, err
	}
	if v := c.Params.Get("flow_json"); v.Present() {
		text, err := v.Str()
		if err != nil {
			return nil, err
		}
		in.JSON = []byte(text)
	}
	if in.Publish, err = c.Params.Get("publish").BoolOr(false); err != nil {
		return nil, err
	}
	if v := c.Params.Get("clone_flow_id"); v.Present() {
		if in.JSON != nil {
			return nil, wa.ErrFlowCloneSource.User(wa.ErrFlowCloneSource.UserTitle, "Give clone_flow_id or flow_json, not both.")
		}
		id, err := v.ID()
		if err != nil {
			return nil, err
		}
		if in.Clone, err = s.cloned(c, wa.FlowID(id)); err != nil {
			return nil, err
		}
	}
	f, err := s.o.Flows.Create(ctx, in)
	if err != nil {
		return nil, err
	}
	if in.JSON == nil {
		return graph.Written{ID: string(f.ID), Else: graph.ID(f.ID)}, nil
	}
	return graph.Written{ID: string(f.ID), Else: graph.Obj{
		{K: "id", V: string(f.ID)}, {K: "success", V: !in.Publish || f.Status == flow.Published}, {K: "validation_errors", V: problems(f)},
	}}, nil
}

// readEndpoint takes the name of the parameter before v19.0, too.
func readEndpoint(p graph.Value) (string, error) {
	v := p.Get("endpoint_uri")
	if !v.Present() {
		v = p.Get("data_channel_uri")
	}
	return v.StrOr("")
}

// cloned is a flow that the caller may read: as much as GET /{flow}/assets asks for.
func (s *surface) cloned(c *graph.Call, id wa.FlowID) (wa.FlowID, error) {
	f, ok := s.o.Flows.Flow(id)
	if !ok || !s.seesFlow(c, f) || !s.mayFlow(c, f) {
		return "", wa.ErrFlowMissing.User(wa.ErrFlowMissing.UserTitle, "The Flow to clone does not exist.")
	}
	return id, nil
}

// updateFlow is POST /{flow-id}.
func (s *surface) updateFlow(ctx context.Context, c *graph.Call, f *flow.Flow) (any, error) {
	var ch flow.Change
	var err error
	p := c.Params
	if v := p.Get("name"); v.Present() {
		name, err := v.Str()
		if err != nil {
			return nil, err
		}
		ch.Name = &name
	}
	if ch.Categories, err = readCategories(p.Get("categories")); err != nil {
		return nil, err
	}
	if !p.Has("categories") {
		ch.Categories = nil
	}
	if p.Has("endpoint_uri") || p.Has("data_channel_uri") {
		uri, err := readEndpoint(p)
		if err != nil {
			return nil, err
		}
		ch.Endpoint = &uri
	}
	if v := p.Get("application_id"); v.Present() {
		id, err := v.ID()
		if err != nil {
			return nil, err
		}
		app, err := s.linkable(c, wa.AppID(id))
		if err != nil {
			return nil, err
		}
		ch.App = &app
	}
	if ch.Name == nil && ch.Categories == nil && ch.Endpoint == nil && ch.App == nil {
		return nil, graph.Invalid("One of the parameters name, categories, endpoint_uri, application_id is required.")
	}
	_, err = s.o.Flows.Update(ctx, f.ID, ch)
	return flowDone(err)
}

// linkable is an app that the caller sees: its secret will sign what goes to the endpoint.
func (s *surface) linkable(c *graph.Call, id wa.AppID) (wa.AppID, error) {
	a, ok := s.o.Access.App(id)
	if !ok || (a.ID != who(c).App() && !who(c).SeesBusiness(a.Business)) {
		return "", wa.ErrParamType.Fill("application_id", "the id of an app of the business")
	}
	return id, nil
}

func (s *surface) deleteFlow(ctx context.Context, _ *graph.Call, f *flow.Flow) (any, error) {
	return flowDone(s.o.Flows.Delete(ctx, f.ID))
}

// uploadFlow is POST /{flow-id}/assets. Source: spec/flows.md sections 2 and 4.
func (s *surface) uploadFlow(ctx context.Context, c *graph.Call, f *flow.Flow) (any, error) {
	names := func() error {
		if name, err := c.Params.Get("name").Str(); err != nil {
			return err
		} else if name != assetName {
			return wa.ErrParamType.Fill("name", assetName)
		}
		_, err := c.Params.Get("asset_type").Enum(assetType)
		return err
	}
	file, err := c.Params.Get("file").File()
	if err != nil {
		return nil, err
	}
	json, err := io.ReadAll(io.LimitReader(file, flow.MaxJSON+1))
	if err != nil {
		return nil, uploadError(ctx, err)
	}
	if len(json) > flow.MaxJSON {
		return nil, wa.ErrFlowUpdate.User(wa.ErrFlowUpdate.UserTitle, "Flow JSON must not be larger than 10 MB.")
	}
	if err := names(); err != nil { // fields behind the file are known now
		return nil, err
	}
	f, err = s.o.Flows.Upload(ctx, f.ID, json)
	if err != nil {
		return nil, flowError(err)
	}
	return graph.Obj{{K: "success", V: true}, {K: "validation_errors", V: problems(f)}}, nil
}

func (s *surface) publishFlow(ctx context.Context, _ *graph.Call, f *flow.Flow) (any, error) {
	w, ok := s.o.Business.WABA(f.WABA)
	if !ok {
		return nil, graph.ErrInvisible
	}
	if err := s.mayFlows(w); err != nil {
		return nil, err
	}
	_, err := s.o.Flows.Publish(ctx, f.ID)
	return flowDone(err)
}

func (s *surface) deprecateFlow(ctx context.Context, _ *graph.Call, f *flow.Flow) (any, error) {
	_, err := s.o.Flows.Deprecate(ctx, f.ID)
	return flowDone(err)
}

// migrateFlows is POST /{waba-id}/migrate_flows. Source: spec/flows.md section 2.
func (s *surface) migrateFlows(ctx context.Context, c *graph.Call, w *business.WABA) (any, error) {
	source, err := c.Params.Get("source_waba_id").ID()
	if err != nil {
		return nil, err
	}
	names, err := c.Params.Get("source_flow_names").StringsOr()
	if err != nil {
		return nil, err
	}
	if len(names) > flow.MaxMigration {
		return nil, c.Params.Get("source_flow_names").Invalid("must be a list of at most %d names", flow.MaxMigration)
	}
	from, ok := s.o.Business.WABA(wa.WABAID(source))
	if !ok || !who(c).SeesWABA(asset(from)) || from.Owner != w.Owner || from.ID == w.ID || !mayList(c, from, edgeFlows) {
		return nil, wa.ErrParamType.Fill("source_waba_id", "another WhatsApp Business Account of the same business")
	}
	if err := s.mayFlows(w); err != nil {
		return nil, err
	}
	done, failed, err := s.o.Flows.Migrate(ctx, from.ID, w.ID, names)
	if err != nil {
		return nil, err
	}
	moved, kept := make([]graph.Obj, len(done)), make([]graph.Obj, len(failed))
	for i, m := range done {
		moved[i] = graph.Obj{{K: "source_name", V: m.Name}, {K: "source_id", V: string(m.From)}, {K: "migrated_id", V: string(m.To)}}
	}
	for i, m := range failed {
		kept[i] = graph.Obj{{K: "source_name", V: m.Name}, {K: "error_code", V: m.Code}, {K: "error_message", V: m.Message}}
	}
	return graph.Obj{{K: "migrated_flows", V: moved}, {K: "failed_flows", V: kept}}, nil
}

// enterFlow asks for the right on the flow's account.
func (s *surface) enterFlow(c *graph.Call, e endpoint, r right, f *flow.Flow) error {
	w, ok := s.o.Business.WABA(f.WABA)
	if !ok {
		return unsupported(c)
	}
	if err := refusal(c, e, r, who(c).May(asset(w), r.task, r.scopes...), typeFlow); err != nil {
		return err
	}
	return s.writable(e, r, w)
}

// flowRights are the rows of the endpoint table for flows. Source: spec/access.md section 9.2.
var flowRights = map[endpoint]right{
	{get, kindWABA, edgeFlows}:         {scopeM, access.ManageExtensions},
	{post, kindWABA, edgeFlows}:        {scopeM, access.ManageExtensions},
	{post, kindWABA, edgeMigrateFlows}: {scopeM, access.ManageExtensions},
	{get, kindFlow, ""}:                {scopeM, access.ManageExtensions},
	{post, kindFlow, ""}:               {scopeM, access.ManageExtensions},
	{remove, kindFlow, ""}:             {scopeM, access.ManageExtensions},
	{get, kindFlow, edgeAssets}:        {scopeM, access.ManageExtensions},
	{post, kindFlow, edgeAssets}:       {scopeM, access.ManageExtensions},
	{post, kindFlow, edgePublish}:      {scopeM, access.ManageExtensions},
	{post, kindFlow, edgeDeprecate}:    {scopeM, access.ManageExtensions},
}

// maxFlowFiles bounds the files that go out at one time: each is in memory until it was read.
const maxFlowFiles = 32

// FlowFile serves the file behind a download_url: whoever has the address may fetch it while it lives.
func FlowFile(flows *flow.Service) http.Handler {
	mux := http.NewServeMux()
	places := make(chan struct{}, maxFlowFiles)
	mux.HandleFunc("GET "+FlowPath+"{flow}/"+assetName, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		n, err := strconv.ParseInt(q.Get("n"), 10, 64)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		ends, err := strconv.ParseInt(q.Get("e"), 10, 64)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		default:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
		json, err := flows.Asset(r.Context(), wa.FlowID(r.PathValue("flow")), n, ends, q.Get("token"))
		if errors.Is(err, flow.ErrUnknown) {
			http.NotFound(w, r)
			return
		}
		if err != nil {
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json; charset=UTF-8")
		h.Set("Content-Disposition", "attachment; filename="+assetName)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "private, max-age=300")
		_, _ = io.Copy(w, bytes.NewReader(json)) // a caller that has gone cannot be told
	})
	return mux
}
