package flow

import (
	"context"
	"fmt"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// refusePublish is what stands in the way, in words of its own.
func refusePublish(format string, args ...any) error {
	return wa.ErrFlowPublish.User(wa.ErrFlowPublish.UserTitle, fmt.Sprintf(format, args...))
}

// Publish makes the draft live. It asks the endpoint, if there is one, for a sign of life: that can take ten seconds. Errors:
// [ErrUnknown], and [wa.ErrFlowPublish] with the reason. Source: spec/flows.md section 12.
func (s *Service) Publish(ctx context.Context, id wa.FlowID) (*Flow, error) {
	// The endpoint is asked outside of the account's mutex: others must not wait for it.
	f, ok := s.Flow(id)
	if !ok {
		return nil, fmt.Errorf("flow %s: %w", id, ErrUnknown)
	}
	if err := publishable(f); err != nil {
		return nil, err
	}
	asked := f
	if err := s.ready(ctx, f); err != nil {
		return nil, err
	}
	return s.change(ctx, id, func(f *Flow) ([]byte, error) {
		if f.Draft.N != asked.Draft.N || f.Status != asked.Status || f.Endpoint != asked.Endpoint || f.App != asked.App {
			return nil, refusePublish("The Flow was changed while it was published. Try again.")
		}
		was := f.Status
		s.live(f)
		if f.Status != was {
			f.tellStatus(was)
		}
		f.Updated = s.o.Clock.Now()
		return nil, nil
	})
}

// live makes the draft the live document. What is throttled or blocked stays so.
func (s *Service) live(f *Flow) {
	f.Live = f.Draft
	if f.Status == Draft {
		f.Status = Published
	}
}

// publishable says whether the state of the flow allows it.
func publishable(f *Flow) error {
	switch {
	case f.Status == Deprecated:
		return refusePublish("A deprecated Flow can't be published.")
	case f.Status != Draft && !f.Pending():
		return refusePublish("The Flow is already published, and nothing was changed since.")
	}
	return nil
}

// ready says whether the draft can go live: everything but the state.
func (s *Service) ready(ctx context.Context, f *Flow) error {
	r := &f.Draft
	if !r.Exists() {
		return refusePublish("The Flow has no Flow JSON. Upload one.")
	}
	if n := len(r.Problems); n > 0 {
		return refusePublish("The Flow JSON has %d validation errors. Fix them before publishing.", n)
	}
	if r.Talks() && f.endpoint(r) == "" {
		if r.Version < uriByAPI {
			return refusePublish("data_channel_uri is missing in the Flow JSON.")
		}
		return refusePublish("Set endpoint_uri before publishing: the Flow JSON has a data_api_version.")
	}
	if uri := f.endpoint(r); r.Talks() && s.checkURL(uri) != nil {
		return refusePublish("The address of the endpoint is not a public https URL.")
	}
	if s.frozen(r.Version) {
		return refusePublish("Flow JSON version %s is not available for publishing.", r.Version)
	}
	numbers, signed := s.o.Accounts.Keys(f.WABA)
	if numbers == 0 {
		return refusePublish("Add a phone number to the WhatsApp Business Account before publishing.")
	}
	if !r.Talks() {
		return nil
	}
	if signed == "" {
		return refusePublish("Upload a public key for a phone number of the account, by whatsapp_business_encryption, before publishing.")
	}
	if _, ok := s.o.Secrets.AppSecret(f.App); !ok {
		return refusePublish("Connect an app with the Flow before publishing.")
	}
	if !s.o.Accounts.Subscribed(f.App, f.WABA) {
		return refusePublish("Subscribe the app to the flows webhooks of the account before publishing.")
	}
	if err := s.ping(ctx, f, r, signed); err != nil {
		return refusePublish("The endpoint is not available: %s.", pingFault(err))
	}
	return nil
}

// Deprecate ends a flow: it can be neither sent nor opened any more. Errors: [ErrUnknown], [wa.ErrFlowDeprecate].
func (s *Service) Deprecate(ctx context.Context, id wa.FlowID) (*Flow, error) {
	return s.change(ctx, id, func(f *Flow) ([]byte, error) {
		switch f.Status {
		case Draft:
			return nil, wa.ErrFlowDeprecate.User(wa.ErrFlowDeprecate.UserTitle, "The Flow is not published. Only published Flows can be deprecated.")
		case Deprecated:
			return nil, wa.ErrFlowDeprecate.User(wa.ErrFlowDeprecate.UserTitle, "The Flow is already deprecated.")
		case Published, Throttled, Blocked:
		}
		s.become(f, Deprecated)
		return nil, nil
	})
}

// become changes the state and tells of it.
func (s *Service) become(f *Flow, to Status) {
	was := f.Status
	f.Status, f.Updated = to, s.o.Clock.Now()
	f.tellStatus(was)
}

// Delete removes a draft. Errors: [ErrUnknown], [wa.ErrFlowDelete].
func (s *Service) Delete(ctx context.Context, id wa.FlowID) error {
	f, ok := s.Flow(id)
	if !ok {
		return fmt.Errorf("flow %s: %w", id, ErrUnknown)
	}
	a := s.account(f.WABA)
	a.mu.Lock()
	defer a.mu.Unlock()
	if f, ok = s.Flow(id); !ok {
		return fmt.Errorf("flow %s: %w", id, ErrUnknown)
	}
	if f.Status != Draft {
		return wa.ErrFlowDelete.User(wa.ErrFlowDelete.UserTitle, "Only a Flow that was never published can be deleted. Deprecate it instead.")
	}
	if err := s.o.Store.DeleteFlow(context.WithoutCancel(ctx), id); err != nil {
		return fmt.Errorf("delete flow %s: %w", id, err)
	}
	a.view.Store(a.view.Load().without(id))
	s.ids.Delete(id)
	s.endpoints.Delete(id)
	s.throttles.Delete(id)
	s.queue.forget(id)
	s.uncount(id)
	return nil
}

// ErrState is returned when an operator asks for what the state of a flow does not allow.
var ErrState = fmt.Errorf("the state of the flow does not allow this")

// SetState is the operator's switch: a published flow is throttled or blocked, and recovers. Errors: [ErrUnknown], [ErrState].
// Source: spec/flows.md section 10.
func (s *Service) SetState(ctx context.Context, id wa.FlowID, to Status) (*Flow, error) {
	return s.change(ctx, id, func(f *Flow) ([]byte, error) {
		if f.Status == Draft || f.Status == Deprecated || f.Status == to {
			return nil, ErrState
		}
		if to != Published && to != Throttled && to != Blocked {
			return nil, ErrState
		}
		s.throttles.Delete(id)
		s.become(f, to)
		return nil, nil
	})
}
