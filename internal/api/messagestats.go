package api

import (
	"context"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Product types. Source: spec/analytics.md section 2.
const (
	productTemplate = 0
	productOther    = 2
	productReceived = 100

	productNotified, productSupported, productGroupReceived = 101, 102, 103
)

// messagesField is analytics.start(…).end(…).granularity(…): messages sent and delivered.
func (s *surface) messagesField(ctx context.Context, c *graph.Call, w *business.WABA, it graph.Item) (any, error) {
	if !mayList(c, w, edgeConversations) {
		return nil, wa.ErrNodeAccess.Fill(typeWABA)
	}
	p := it.Args()
	q, err := s.readSpan(c, p, w, "HALF_HOUR", "DAY", "MONTH")
	if err != nil {
		return nil, err
	}
	products, err := p.Get("product_types").ListOr()
	if err != nil {
		return nil, err
	}
	var inbound, outbound, groups bool
	for _, v := range products {
		n, err := v.Int()
		if err != nil {
			return nil, err
		}
		switch n {
		case productTemplate:
			q.What = append(q.What, analytics.SentTemplates, analytics.DeliveredTemplates)
		case productOther:
			q.What = append(q.What, analytics.SentOthers, analytics.DeliveredOthers)
		case productReceived:
			q.What = append(q.What, analytics.Received)
		case productNotified, productSupported, productGroupReceived: // of groups, which there are none of
			groups = true
		default:
			return nil, v.Invalid("must be one of 0, 2, 100, 101, 102, 103")
		}
		in := n == productReceived || n == productGroupReceived
		inbound, outbound = inbound || in, outbound || !in
	}
	switch {
	case inbound && outbound:
		return nil, wa.ErrProductType
	case groups && len(q.Countries) > 0:
		return nil, p.Get("country_codes").Invalid("cannot be used with product types of groups")
	}
	if len(products) == 0 {
		q.What = []string{analytics.SentTemplates, analytics.SentOthers, analytics.DeliveredTemplates, analytics.DeliveredOthers}
	}
	q.ByCountry = len(q.Countries) == 0
	list, err := s.points(ctx, q)
	if err != nil {
		return nil, err
	}
	return messagesAnswer(q, list), nil
}

func messagesAnswer(q *span, list []analytics.Point) graph.Obj {
	type bucket struct{ start, end, sent, delivered int64 }
	var buckets []bucket
	countries := map[string]bool{}
	for _, p := range list {
		if n := len(buckets); n == 0 || buckets[n-1].start != p.Start {
			buckets = append(buckets, bucket{start: p.Start, end: p.End})
		}
		b := &buckets[len(buckets)-1]
		if strings.HasPrefix(p.What, "delivered.") {
			b.delivered += p.N
		} else {
			b.sent += p.N
		}
		if p.Country != "" {
			countries[p.Country] = true
		}
	}
	points := []any{}
	for _, b := range buckets {
		points = append(points, graph.Obj{{K: "start", V: b.start}, {K: "end", V: b.end}, {K: "sent", V: b.sent}, {K: "delivered", V: b.delivered}})
	}
	digits := []any{}
	for _, id := range q.Numbers {
		digits = append(digits, q.numbers[id])
	}
	names := q.Countries
	if len(names) == 0 {
		for c := range countries {
			names = append(names, c)
		}
		slices.Sort(names)
	}
	lands := []any{}
	for _, c := range names {
		lands = append(lands, c)
	}
	return graph.Obj{
		{K: "phone_numbers", V: digits},
		{K: "country_codes", V: lands},
		{K: "granularity", V: string(q.Granularity)},
		{K: "data_points", V: points},
	}
}
