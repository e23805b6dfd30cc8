package webhook

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Subscription is an app's callback: one per app. Values are immutable once they are in a snapshot.
type Subscription struct {
	App         wa.AppID
	CallbackURL string
	VerifyToken []byte // sealed
	Fields      []Field
	Active      bool
	Updated     time.Time
}

// Link connects an app to a WABA, with its override when there is one.
type Link struct {
	App         wa.AppID
	WABA        wa.WABAID
	OverrideURL string
	VerifyToken []byte // sealed; nil without override
	Created     time.Time
}

// NumberOverride is the callback of one app for one number.
type NumberOverride struct {
	App         wa.AppID
	WABA        wa.WABAID
	Number      wa.PhoneNumberID
	URL         string
	VerifyToken []byte // sealed
}

// SubscriptionStore keeps subscriptions. Each Save is an upsert by the ids of its row; deleting what is absent succeeds.
type SubscriptionStore interface {
	// Subscriptions returns everything; it is called once, at the start.
	Subscriptions(ctx context.Context) ([]Subscription, []Link, []NumberOverride, error)
	SaveSubscription(ctx context.Context, s Subscription) error
	DeleteSubscription(ctx context.Context, app wa.AppID) error
	SaveLink(ctx context.Context, l Link) error
	// DeleteLink removes the link and every number override of the app below the WABA, in one transaction.
	DeleteLink(ctx context.Context, app wa.AppID, waba wa.WABAID) error
	SaveNumberOverride(ctx context.Context, o NumberOverride) error
	DeleteNumberOverride(ctx context.Context, app wa.AppID, number wa.PhoneNumberID) error
}

// Scope says which of an app's URLs an update goes to: "" is the app's callback, "w" and a WABA id the override of that
// WABA, "n" and a phone number id the override of that number.
type Scope string

func wabaScope(id wa.WABAID) Scope          { return Scope("w" + string(id)) }
func numberScope(id wa.PhoneNumberID) Scope { return Scope("n" + string(id)) }

// covers says whether updates of the number and WABA can belong to the scope.
func (s Scope) covers(waba wa.WABAID, number wa.PhoneNumberID) bool {
	return s == "" || s == wabaScope(waba) || s == numberScope(number)
}

// Target is one receiver of an update.
type Target struct {
	App     wa.AppID
	Scope   Scope
	URL     string
	Version string // of the subscribed field
}

type appWABA struct {
	app  wa.AppID
	waba wa.WABAID
}

type appNumber struct {
	app    wa.AppID
	number wa.PhoneNumberID
}

// snapshot is all subscriptions at one moment. It is immutable.
type snapshot struct {
	subs      map[wa.AppID]Subscription
	links     map[appWABA]Link
	byWABA    map[wa.WABAID][]wa.AppID // sorted
	overrides map[appNumber]NumberOverride
	owner     func(wa.AppID) wa.BusinessID // nil: nobody knows
}

func newSnapshot(subs []Subscription, links []Link, overrides []NumberOverride) *snapshot {
	s := &snapshot{
		subs: map[wa.AppID]Subscription{}, links: map[appWABA]Link{},
		byWABA: map[wa.WABAID][]wa.AppID{}, overrides: map[appNumber]NumberOverride{},
	}
	for _, v := range subs {
		s.subs[v.App] = v
	}
	for _, v := range links {
		s.addLink(v)
	}
	for _, v := range overrides {
		s.overrides[appNumber{v.App, v.Number}] = v
	}
	return s
}

func (s *snapshot) clone() *snapshot {
	return &snapshot{
		subs: maps.Clone(s.subs), links: maps.Clone(s.links), byWABA: maps.Clone(s.byWABA), overrides: maps.Clone(s.overrides),
		owner: s.owner,
	}
}

func (s *snapshot) addLink(l Link) {
	s.links[appWABA{l.App, l.WABA}] = l
	apps := s.byWABA[l.WABA]
	if i, found := slices.BinarySearch(apps, l.App); !found {
		s.byWABA[l.WABA] = slices.Insert(slices.Clone(apps), i, l.App)
	}
}

func (s *snapshot) removeLink(app wa.AppID, waba wa.WABAID) {
	delete(s.links, appWABA{app, waba})
	apps := s.byWABA[waba]
	if i, found := slices.BinarySearch(apps, app); found {
		s.byWABA[waba] = slices.Delete(slices.Clone(apps), i, i+1)
	}
	maps.DeleteFunc(s.overrides, func(k appNumber, o NumberOverride) bool { return k.app == app && o.WABA == waba })
}

// route returns the receivers of an update: the apps that are subscribed to the WABA, and those of the portfolio that the
// update names. number may be empty for fields of a WABA.
func (s *snapshot) route(field string, waba wa.WABAID, number wa.PhoneNumberID, entry wa.BusinessID) (to []Target) {
	for _, app := range s.byWABA[waba] {
		to = s.receiver(to, field, app, waba, number)
	}
	if entry == "" || s.owner == nil {
		return to
	}
	for _, app := range sortedKeys(s.subs) {
		if _, linked := s.links[appWABA{app, waba}]; !linked && s.owner(app) == entry {
			to = s.receiver(to, field, app, waba, number)
		}
	}
	return to
}

// receiver appends an app that subscribed to the field.
func (s *snapshot) receiver(to []Target, field string, app wa.AppID, waba wa.WABAID, number wa.PhoneNumberID) []Target {
	sub, ok := s.subs[app]
	if !ok || !sub.Active {
		return to
	}
	i := slices.IndexFunc(sub.Fields, func(f Field) bool { return f.Name == field })
	if i < 0 {
		return to
	}
	scope := Scope("")
	if FollowsOverrides(field) {
		scope = s.scope(app, waba, number)
	}
	return append(to, Target{App: app, Scope: scope, URL: s.url(app, scope, waba), Version: sub.Fields[i].Version})
}

// scope is whose URL applies to the number: its own, the WABA's or the app's.
func (s *snapshot) scope(app wa.AppID, waba wa.WABAID, number wa.PhoneNumberID) Scope {
	if number != "" {
		if _, ok := s.overrides[appNumber{app, number}]; ok {
			return numberScope(number)
		}
	}
	if s.links[appWABA{app, waba}].OverrideURL != "" {
		return wabaScope(waba)
	}
	return ""
}

// url is the URL of a scope that exists, and of one that is gone whatever applies instead; "" when the app has no callback.
// waba is only needed for scopes of numbers that are gone.
func (s *snapshot) url(app wa.AppID, scope Scope, waba wa.WABAID) string {
	if scope != "" {
		id := string(scope[1:])
		if scope[0] == 'n' {
			if o, ok := s.overrides[appNumber{app, wa.PhoneNumberID(id)}]; ok {
				return o.URL
			}
			id = string(waba)
		}
		if l := s.links[appWABA{app, wa.WABAID(id)}]; l.OverrideURL != "" {
			return l.OverrideURL
		}
	}
	return s.subs[app].CallbackURL
}

// scopes returns every scope of every app that has a callback: callbacks first, then WABAs, then numbers.
func (s *snapshot) scopes() []EndpointID {
	var out []EndpointID
	for app := range s.subs {
		out = append(out, EndpointID{app, ""})
	}
	for k, l := range s.links {
		if _, ok := s.subs[k.app]; ok && l.OverrideURL != "" {
			out = append(out, EndpointID{k.app, wabaScope(k.waba)})
		}
	}
	for k := range s.overrides {
		if _, ok := s.subs[k.app]; ok {
			out = append(out, EndpointID{k.app, numberScope(k.number)})
		}
	}
	slices.SortFunc(out, func(a, b EndpointID) int {
		return cmp.Or(cmp.Compare(a.Scope.rank(), b.Scope.rank()), cmp.Compare(a.App, b.App), cmp.Compare(a.Scope, b.Scope))
	})
	return out
}

func (s Scope) rank() int {
	switch {
	case s == "":
		return 0
	case s[0] == 'w':
		return 1
	default:
		return 2
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
