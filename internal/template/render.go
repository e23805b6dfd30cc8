package template

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Rendered is a template with its variables filled in, as a device shows it. See the package comment for its JSON.
type Rendered struct {
	Category Category
	Life     time.Duration // until an undelivered message is dropped
	Bubble
	Offer  *RenderedOffer
	Cards  []Bubble
	Order  *OrderStatus
	Target *TapTarget
	Call   bool    // the message asks for permission to call
	Media  []Media // files in the order of their placeholders
}

// Bubble is what a message and a card of a carousel have in common.
type Bubble struct {
	Header  RenderedHeader
	Body    string // empty: none, which only cards can have
	Footer  string // empty: none
	Buttons []RenderedButton
}

// RenderedHeader is a header with its variable filled in. The zero value is no header.
type RenderedHeader struct {
	Format   HeaderFormat
	Text     string
	File     int // index into Media, of media formats
	Filename string
	Location *Location
	Product  *Product
}

// RenderedOffer is a limited-time offer.
type RenderedOffer struct {
	Text    string
	Expires int64 // Unix milliseconds; 0: it does not say
}

// Limits of the filled-in text in code points. Source: spec/errors.md section 9, 132005.
const (
	maxHeader     = 60
	maxBody       = 1024
	maxBodyOnly   = 4096 // a template that is nothing but a body
	maxCardBody   = 160
	maxCoupon     = 20
	maxPayload    = 256
	maxCallReturn = 512 // payload of a voice_call button
	maxPasscode   = 15
	maxSpaces     = 4
)

// Sendable says whether t may be sent, by its state. t is nil when there is none. Errors: [wa.ErrTemplateMissing],
// [wa.ErrTemplatePaused], [wa.ErrTemplateDisabled]. Source: spec/messages.md section 11.6.
func Sendable(t *Template, name, language string) error {
	if t != nil {
		switch t.Status {
		case Approved, Flagged, LockedStatus:
			return nil
		case Paused:
			return wa.ErrTemplatePaused
		case Disabled:
			return wa.ErrTemplateDisabled.With("This message template is disabled.")
		case Pending, Rejected, InAppeal, PendingDeletion, Deleted, LimitExceeded, Archived:
		}
	}
	return wa.ErrTemplateMissing.Withf("template name (%s) does not exist in %s", clip(name), clip(language))
}

// Render fills in t: gate 10 of spec/errors.md section 2, after [Sendable]. Components are looked at in the order header,
// body, buttons, offer, carousel, and the first fault answers. Errors: [wa.ErrTemplateParamCount], [wa.ErrTemplateFormat],
// [wa.ErrTemplatePolicy], [wa.ErrTemplateTooLong], [wa.ErrTemplateParams], [wa.ErrRequired], [wa.ErrValue],
// [wa.ErrParameterName].
func Render(t *Template, r *Request) (*Rendered, error) {
	out := &Rendered{Category: t.Category, Life: t.Life()}
	w := work{t: t, out: out, bodyLimit: maxBody}
	if len(t.Components) == 1 {
		w.bodyLimit = maxBodyOnly
	}
	if err := once(r.Components); err != nil {
		return nil, err
	}
	if t.Component(Body) == nil {
		return nil, wa.ErrTemplateParams
	}
	if err := w.bubble(&out.Bubble, t.Components, r.Components); err != nil {
		return nil, err
	}
	if err := w.typed(find(r.Components, "body")); err != nil {
		return nil, err
	}
	if err := w.passcode(r.Components); err != nil {
		return nil, err
	}
	if err := w.offer(find(r.Components, "limited_time_offer")); err != nil {
		return nil, err
	}
	if err := w.carousel(find(r.Components, "carousel")); err != nil {
		return nil, err
	}
	out.Call = t.Component(CallPermission) != nil
	return out, w.extras(r.Components)
}

// once refuses a component that is given twice.
func once(list []Filling) error {
	for i := range list {
		for j := range i {
			if list[i].Type == list[j].Type && (list[i].Type != "button" || list[i].Index == list[j].Index) {
				return wa.ErrValue.Withf("%s: the same component is given twice", list[i].path)
			}
		}
	}
	return nil
}

func find(list []Filling, kind string) *Filling {
	for i := range list {
		if list[i].Type == kind {
			return &list[i]
		}
	}
	return nil
}

// params of a component that may not have been given.
func (f *Filling) params() []Param {
	if f == nil {
		return nil
	}
	return f.Params
}

// work fills in one template. where is the prefix of details within a card: "carousel: card 0: ".
type work struct {
	t         *Template
	out       *Rendered
	where     string
	bodyLimit int
}

func (w *work) bubble(b *Bubble, components []Component, given []Filling) (err error) {
	if b.Header, err = w.header(component(components, Header), find(given, "header")); err != nil {
		return err
	}
	text := ""
	if c := component(components, Body); c != nil {
		text = c.Text
	}
	if b.Body, err = w.fill("body", text, find(given, "body"), w.bodyLimit); err != nil {
		return err
	}
	if f := component(components, Footer); f != nil {
		b.Footer = f.Text
	}
	b.Buttons, err = w.buttons(buttons(components), given)
	return err
}

func (w *work) header(h *Component, given *Filling) (out RenderedHeader, err error) {
	if h == nil {
		_, err = w.fill("header", "", given, maxHeader)
		return out, err
	}
	out.Format = h.Format
	if h.Format == HeaderText {
		out.Text, err = w.fill("header", h.Text, given, maxHeader)
		return out, err
	}
	params := given.params()
	received := "UNKNOWN"
	if len(params) > 0 {
		received = strings.ToUpper(params[0].Type)
	}
	if received != string(h.Format) {
		return out, wa.ErrTemplateFormat.Withf("%sheader: Format mismatch, expected %s, received %s", w.where, h.Format, received)
	}
	if len(params) != 1 {
		return out, w.miscounted("header", len(params), 1)
	}
	p := &params[0]
	switch h.Format {
	case HeaderLocation:
		out.Location = p.Location
	case HeaderProduct:
		out.Product = p.Product
	case HeaderText, HeaderImage, HeaderVideo, HeaderDocument, HeaderGIF:
		out.File, out.Filename = len(w.out.Media), p.Media.Filename
		w.out.Media = append(w.out.Media, p.Media)
	}
	return out, nil
}

func (w *work) miscounted(part string, got, want int) error {
	return wa.ErrTemplateParamCount.Withf(
		"%s%s: number of localizable_params (%d) does not match the expected number of params (%d)", w.where, part, got, want)
}

// fill replaces the variables of a text by the parameters given for it.
func (w *work) fill(part, text string, given *Filling, limit int) (string, error) {
	params := given.params()
	for i := range params {
		if err := w.fits(part, &params[i]); err != nil {
			return "", err
		}
	}
	names := Variables(text)
	if len(params) != len(names) {
		return "", w.miscounted(part, len(params), len(names))
	}
	if len(names) == 0 {
		return text, nil
	}
	for _, name := range names { // a repeated or foreign name leaves another one without value
		if w.param(params, name) == nil {
			return "", wa.ErrTemplateParamCount.Withf("%s%s: the parameter (%s) is missing", w.where, part, clip(name))
		}
	}
	out := substitute(text, func(name string) string { return w.param(params, name).Text })
	if len(out) > limit && utf8.RuneCountInString(out) > limit {
		return "", wa.ErrTemplateTooLong.Withf("%s%s: hydrated text too long, at most %d characters are allowed", w.where, part, limit)
	}
	return out, nil
}

// param finds the value of a variable: by name, or by its position.
func (w *work) param(params []Param, name string) *Param {
	if w.t.Format != Named {
		if i, err := strconv.Atoi(name); err == nil && i >= 1 && i <= len(params) {
			return &params[i-1]
		}
		return nil
	}
	for i := range params {
		if params[i].Name == name {
			return &params[i]
		}
	}
	return nil
}

// fits checks one parameter of a text component.
func (w *work) fits(part string, p *Param) error {
	switch p.Type {
	case "text":
	case "currency", "date_time":
		if part == "body" {
			break
		}
		fallthrough
	default:
		return wa.ErrTemplateFormat.Withf("%s%s: Format mismatch, expected TEXT, received %s", w.where, part, strings.ToUpper(p.Type))
	}
	if w.t.Format == Named && p.Name == "" {
		return wa.ErrParameterName
	}
	if w.t.Format != Named && p.hasName {
		return wa.ErrCloudParameter.Withf("%s%s: parameter_name is only allowed for templates with named parameters", w.where, part)
	}
	if !clean(p.Text) {
		return wa.ErrTemplatePolicy
	}
	return nil
}

// clean reports whether a parameter text has no line break, no tab and at most four spaces in a row. Source:
// spec/errors.md section 9, 132007.
func clean(s string) bool {
	run := 0
	for i := range len(s) {
		switch s[i] {
		case '\n', '\r', '\t':
			return false
		case ' ':
			if run++; run > maxSpaces {
				return false
			}
		default:
			run = 0
		}
	}
	return true
}
