package api

import (
	"context"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// meter counts management calls: of an app on an account or on credit lines, and of an app as a whole. It is memory only; a restart begins
// with full budgets. Its keys are objects that exist, so they bound it. Source: spec/limits.md section 6.
type meter struct {
	mu        sync.Mutex
	accounts  map[budgetKey]*limits.Budget
	creations map[wa.WABAID]*limits.Budget
	apps      map[wa.AppID]*appBudget
}

type budgetKey struct {
	app wa.AppID
	on  string // an account, or the portfolio of a credit line
}

// appBudget is the hourly budget of an app, and who used it when: the more people an app has, the more it may call.
type appBudget struct {
	limits.Budget
	users map[string]int64
}

// maxAppUsers bounds who is remembered per app; more of them raise its budget no further.
const maxAppUsers = 10_000

func newMeter() *meter {
	return &meter{accounts: map[budgetKey]*limits.Budget{}, creations: map[wa.WABAID]*limits.Budget{}, apps: map[wa.AppID]*appBudget{}}
}

// counted are the edges of an account that use up its budget; the account itself counts too. Source: spec/limits.md
// section 6.1.
var counted = map[endpoint]bool{
	{get, kindWABA, ""}: true, {get, kindWABA, edgeNumbers}: true,
	{get, kindWABA, "assigned_users"}: true, {post, kindWABA, "assigned_users"}: true, {remove, kindWABA, "assigned_users"}: true,
	{get, kindWABA, edgeTemplates}: true, {post, kindWABA, edgeTemplates}: true, {remove, kindWABA, edgeTemplates}: true,
	{get, kindWABA, edgeSubscribed}: true, {post, kindWABA, edgeSubscribed}: true, {remove, kindWABA, edgeSubscribed}: true,
}

// countedCredit are the edges of credit lines, which have a budget of their own per portfolio. Source: spec/limits.md section 6.1.
var countedCredit = map[endpoint]bool{
	{get, kindBusiness, edgeCredits}: true, {post, kindCredit, edgeShareAttach}: true,
	{get, kindCredit, edgeAllocations}: true, {get, kindAllocation, ""}: true, {remove, kindAllocation, ""}: true,
}

// spendCredit takes a call on a credit line off the app's budget for them.
func (s *surface) spendCredit(c *graph.Call, e endpoint, owner wa.BusinessID) error {
	if !countedCredit[e] {
		return nil
	}
	now := c.Start.UnixMilli()
	s.meter.mu.Lock()
	defer s.meter.mu.Unlock()
	b, wait := grow(s.meter.accounts, budgetKey{who(c).App(), string(owner)}), time.Duration(0)
	used, ok := b.Spend(now, limits.BudgetActive)
	if !ok {
		wait = b.Wait(now)
	}
	return reckon(c, string(owner), limits.Percent(used, limits.BudgetActive), wait)
}

// spend takes a call on an account off the app's budget for it. The headers show the figures, also when it is refused.
func (s *surface) spend(c *graph.Call, w *business.WABA) error {
	if !counted[endpoint{c.Method, c.Kind, c.Edge}] {
		return nil
	}
	limit := limits.BudgetDefault
	for _, n := range s.o.Business.Numbers(w.ID) {
		if n.Registered {
			limit = limits.BudgetActive
			break
		}
	}
	now := c.Start.UnixMilli()
	s.meter.mu.Lock()
	defer s.meter.mu.Unlock()
	b := grow(s.meter.accounts, budgetKey{who(c).App(), string(w.ID)})
	made := grow(s.meter.creations, w.ID)
	creates := c.Method == post && c.Edge == edgeTemplates
	used, wait := b.Used(now), time.Duration(0)
	switch {
	case used >= limit:
		wait = b.Wait(now)
	case creates && made.Used(now) >= limits.CreationsPerHour:
		wait = made.Wait(now)
	default:
		used, _ = b.Spend(now, limit)
		if creates {
			made.Spend(now, limits.CreationsPerHour)
		}
	}
	return reckon(c, string(w.ID), limits.Percent(used, limit), wait)
}

// reckon shows what was used of a budget, and refuses when there is something to wait for.
func reckon(c *graph.Call, on string, percent int, wait time.Duration) error {
	c.SetHeader("X-Business-Use-Case-Usage", usageOf(on, percent, wait))
	if wait > 0 {
		return wa.ErrWABALimit.Retry(wait.Seconds())
	}
	return nil
}

func grow[K comparable](m map[K]*limits.Budget, k K) *limits.Budget {
	b := m[k]
	if b == nil {
		b = new(limits.Budget)
		m[k] = b
	}
	return b
}

// usageOf is the header about an account or a portfolio. What calls cost in time is not measured and shown as 0.
func usageOf(id string, percent int, wait time.Duration) string {
	minutes := int(math.Ceil(wait.Minutes()))
	return `{"` + id + `":[{"type":"whatsapp","call_count":` + strconv.Itoa(percent) +
		`,"total_cputime":0,"total_time":0,"estimated_time_to_regain_access":` + strconv.Itoa(minutes) + `}]}`
}

// admit takes a call off the app's own budget: 200 for each of its users in an hour, and 50,000 at least. Messages are
// exempt, they have limits of their own. Source: spec/limits.md section 6.4.
func (s *surface) admit(ctx context.Context, c *graph.Call) error {
	if s.o.Admit != nil {
		if err := s.o.Admit(ctx, c); err != nil {
			return err
		}
	}
	if c.Method == post && c.AskedEdge() == edgeMessages {
		return nil
	}
	now := c.Start.UnixMilli()
	s.meter.mu.Lock()
	defer s.meter.mu.Unlock()
	b := s.meter.apps[who(c).App()]
	if b == nil {
		b = &appBudget{users: map[string]int64{}}
		s.meter.apps[who(c).App()] = b
	}
	limit := b.limit(who(c).Me(), now, s.o.AppFloor)
	used, ok := b.Spend(now, limit)
	c.SetHeader("X-App-Usage", `{"call_count":`+strconv.Itoa(limits.Percent(used, limit))+`,"total_cputime":0,"total_time":0}`)
	if !ok {
		return wa.ErrAppLimit.Retry(b.Wait(now).Seconds())
	}
	return nil
}

// limit is what the app may call in an hour, with user among its users of the last day.
func (b *appBudget) limit(user string, now int64, floor int) int {
	if floor == 0 {
		floor = limits.AppFloor
	}
	const dayMillis = 24 * 60 * 60 * 1000
	if _, known := b.users[user]; !known && len(b.users) >= maxAppUsers {
		for u, at := range b.users {
			if at <= now-dayMillis {
				delete(b.users, u)
			}
		}
	}
	if len(b.users) < maxAppUsers {
		b.users[user] = now
	}
	n := 0
	if len(b.users)*limits.AppPerUser > floor {
		for _, at := range b.users {
			if at > now-dayMillis {
				n++
			}
		}
	}
	return max(n*limits.AppPerUser, floor)
}
