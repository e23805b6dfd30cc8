package app

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// metrics are what /metrics shows; docs/metrics.md lists them. Rooms count for themselves, this file gives the counts names.
type metrics struct {
	registry *prometheus.Registry
	graph    *graphCounts
	webhooks *webhookCounts
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), graph: newGraphCounts(), webhooks: newWebhookCounts()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry.MustRegister(m.graph.requests, m.graph.tokens, m.webhooks.attempts, m.webhooks.latency, m.webhooks.updates,
		m.webhooks.lost, m.webhooks.suspended)
	return m
}

// graphCounts implements graph.Observer.
type graphCounts struct {
	requests *prometheus.HistogramVec
	tokens   *prometheus.CounterVec
}

func newGraphCounts() *graphCounts {
	return &graphCounts{
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hikyaku_graph_request_seconds", Help: "Time to answer a Graph request, by route and class of HTTP status.",
			Buckets: []float64{.001, .0025, .005, .01, .02, .05, .1, .25, 1, 5},
		}, []string{"route", "status"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hikyaku_graph_token_parameters_total", Help: "Access tokens sent as a parameter instead of the header.",
		}, []string{"carrier", "accepted"}),
	}
}

var statusClasses = [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}

// Observe implements graph.Observer.
func (c *graphCounts) Observe(route string, status int, took time.Duration) {
	c.requests.WithLabelValues(route, statusClasses[min(max(status/100, 1), 5)-1]).Observe(took.Seconds())
}

// TokenParam implements graph.Observer.
func (c *graphCounts) TokenParam(carrier string, accepted bool) {
	label := "false"
	if accepted {
		label = "true"
	}
	c.tokens.WithLabelValues(carrier, label).Inc()
}

// webhookCounts implements webhook.Observer. The hot counters are looked up once.
type webhookCounts struct {
	attempts  *prometheus.CounterVec
	latency   prometheus.Histogram
	updates   prometheus.Counter
	lost      *prometheus.CounterVec
	suspended prometheus.Gauge

	last atomic.Pointer[answerCounter]
}

type answerCounter struct {
	answer webhook.Answer
	count  prometheus.Counter
}

func newWebhookCounts() *webhookCounts {
	return &webhookCounts{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hikyaku_webhook_attempts_total", Help: "Webhook POSTs by outcome.",
		}, []string{"outcome"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hikyaku_webhook_attempt_seconds", Help: "Time until an endpoint answered.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}),
		updates: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hikyaku_webhook_updates_total", Help: "Updates in POSTs that were attempted.",
		}),
		lost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hikyaku_webhook_updates_lost_total", Help: "Updates given up, by reason.",
		}, []string{"reason"}),
		suspended: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hikyaku_webhook_endpoints_suspended", Help: "Endpoints that fail constantly and are only probed.",
		}),
	}
}

// Attempted implements webhook.Observer.
func (c *webhookCounts) Attempted(a webhook.Answer, latency time.Duration, updates int) {
	last := c.last.Load()
	if last == nil || last.answer != a {
		last = &answerCounter{a, c.attempts.WithLabelValues(string(a))}
		c.last.Store(last)
	}
	last.count.Inc()
	c.latency.Observe(latency.Seconds())
	c.updates.Add(float64(updates))
}

// Lost implements webhook.Observer.
func (c *webhookCounts) Lost(why webhook.Loss, updates int) {
	c.lost.WithLabelValues(string(why)).Add(float64(updates))
}

// Suspended implements webhook.Observer.
func (c *webhookCounts) Suspended(delta int) { c.suspended.Add(float64(delta)) }

// watchPlatform exports the counts of the rooms of the platform that runs at the time of the scrape.
func (a *App) watchPlatform() {
	counter := func(name, help string, labels prometheus.Labels, read func(*pipeline.Counts) uint64) {
		a.metrics.registry.MustRegister(prometheus.NewCounterFunc(
			prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 {
				if p := a.platform.Load(); p != nil {
					return float64(read(p.pipeline.Counts()))
				}
				return 0
			}))
	}
	counter("hikyaku_messages_accepted_total", "Messages answered with an id.", nil,
		func(c *pipeline.Counts) uint64 { return c.Accepted.Load() })
	counter("hikyaku_messages_received_total", "Messages of users.", nil,
		func(c *pipeline.Counts) uint64 { return c.Received.Load() })
	const status = "hikyaku_messages_status_total"
	for label, read := range map[string]func(*pipeline.Counts) uint64{
		"sent":      func(c *pipeline.Counts) uint64 { return c.Sent.Load() },
		"delivered": func(c *pipeline.Counts) uint64 { return c.Delivered.Load() },
		"read":      func(c *pipeline.Counts) uint64 { return c.Read.Load() },
		"failed":    func(c *pipeline.Counts) uint64 { return c.Failed.Load() },
		"held":      func(c *pipeline.Counts) uint64 { return c.Held.Load() },
		"dropped":   func(c *pipeline.Counts) uint64 { return c.Dropped.Load() },
	} {
		counter(status, "Steps of outbound messages.", prometheus.Labels{"status": label}, read)
	}
	const refused = "hikyaku_limits_refused_total"
	for label, read := range map[string]func(*pipeline.Counts) uint64{
		"throughput": func(c *pipeline.Counts) uint64 { return c.RefusedThroughput.Load() },
		"pair":       func(c *pipeline.Counts) uint64 { return c.RefusedPair.Load() },
		"queue":      func(c *pipeline.Counts) uint64 { return c.RefusedBusy.Load() },
	} {
		counter(refused, "Sends refused, by limit.", prometheus.Labels{"limit": label}, read)
	}
	counter("hikyaku_pipeline_recoveries_total", "Times a lane started over after the journal refused a frame.", nil,
		func(c *pipeline.Counts) uint64 { return c.Recovered.Load() })
	counter("hikyaku_messages_retried_total", "Messages a device asked to have encrypted again.", nil,
		func(c *pipeline.Counts) uint64 { return c.Retried.Load() })
	a.watchMedia()
	a.watchGauges()
	a.watchQuality()
}

// watchQuality exports how many numbers have which rating. Source: spec/quality.md section 7.4.
func (a *App) watchQuality() {
	for _, q := range []business.Quality{business.QualityGreen, business.QualityYellow, business.QualityRed, business.QualityUnknown} {
		a.metrics.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "hikyaku_numbers", Help: "Business phone numbers, by quality rating.", ConstLabels: prometheus.Labels{"quality": string(q)},
		}, func() (n float64) {
			p := a.platform.Load()
			if p == nil {
				return 0
			}
			for _, x := range p.rules.business.AllNumbers() {
				if x.Live() && x.Quality == q {
					n++
				}
			}
			return n
		}))
	}
}

// watchMedia exports the counts of the media room.
func (a *App) watchMedia() {
	const links = "hikyaku_media_links_total"
	for _, c := range []struct {
		name, help, outcome string
		read                func(*media.Counts) uint64
	}{
		{"hikyaku_media_uploads_total", "Files of businesses.", "", func(c *media.Counts) uint64 { return c.Uploaded.Load() }},
		{"hikyaku_media_uploaded_bytes_total", "Bytes of files of businesses.", "", func(c *media.Counts) uint64 { return c.UploadedBytes.Load() }},
		{"hikyaku_media_refused_total", "Uploads refused for type or size.", "", func(c *media.Counts) uint64 { return c.Refused.Load() }},
		{"hikyaku_media_received_total", "Files of users taken over.", "", func(c *media.Counts) uint64 { return c.Received.Load() }},
		{links, "Media by link, by outcome.", "fetched", func(c *media.Counts) uint64 { return c.Fetched.Load() }},
		{links, "Media by link, by outcome.", "cached", func(c *media.Counts) uint64 { return c.LinkCached.Load() }},
		{links, "Media by link, by outcome.", "failed", func(c *media.Counts) uint64 { return c.FetchFailed.Load() }},
		{"hikyaku_media_expired_total", "Encrypted files deleted at their end.", "", func(c *media.Counts) uint64 { return c.BlobsExpired.Load() }},
	} {
		o := prometheus.CounterOpts{Name: c.name, Help: c.help}
		if c.outcome != "" {
			o.ConstLabels = prometheus.Labels{"outcome": c.outcome}
		}
		a.metrics.registry.MustRegister(prometheus.NewCounterFunc(o, func() float64 {
			if p := a.platform.Load(); p != nil {
				return float64(c.read(&p.media.Counts))
			}
			return 0
		}))
	}
}

func (a *App) watchGauges() {
	gauge := func(name, help string, read func(*platform) float64) {
		a.metrics.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			if p := a.platform.Load(); p != nil {
				return read(p)
			}
			return 0
		}))
	}
	gauge("hikyaku_pipeline_queued_commands", "Commands waiting for their lane.",
		func(p *platform) float64 { return float64(p.pipeline.Queued()) })
	gauge("hikyaku_store_lag_records", "Journal records the store does not show yet.",
		func(p *platform) float64 { return float64(p.pipeline.Lag()) })
	gauge("hikyaku_webhook_pending_updates", "Updates waiting to be sent, in memory and in the store.", func(p *platform) (n float64) {
		for _, s := range p.webhooks.Stats() {
			n += float64(s.Queued + s.Waiting)
		}
		return n
	})
	gauge("hikyaku_webhook_workers", "Goroutines that post webhooks now, over all endpoints.", func(p *platform) (n float64) {
		for _, s := range p.webhooks.Stats() {
			n += float64(s.InFlight)
		}
		return n
	})
	gauge("hikyaku_webhook_oldest_pending_seconds", "Age of the oldest update in memory that was not delivered.", func(p *platform) (age float64) {
		now := p.clock.Now()
		for _, s := range p.webhooks.Stats() {
			if !s.Oldest.IsZero() {
				age = max(age, now.Sub(s.Oldest).Seconds())
			}
		}
		return age
	})
}
