package message

import "slices"

// Limits of interactive messages in Unicode code points. Source: spec/messages.md sections 10.1 to 10.12.
const (
	maxHeader   = 60
	maxFooter   = 60
	maxBodyText = 1024
	maxListBody = 4096
)

// layout says what an interactive type is made of besides its action. Source: spec/messages.md section 10.1.
type layout struct {
	name       string
	headers    []string // kinds it may have
	needHeader bool
	body       int // most characters; 0 for none
	needBody   bool
	footer     bool
}

var (
	anyHeader  = []string{TypeText, TypeImage, TypeVideo, TypeDocument}
	textHeader = []string{TypeText}
)

// The names of interactive types.
const (
	kindAddress      = "address_message"
	kindButton       = "button"
	kindCallRequest  = "call_permission_request"
	kindCarousel     = "carousel"
	kindCatalog      = "catalog_message"
	kindCTA          = "cta_url"
	kindFlow         = "flow"
	kindList         = "list"
	kindLocation     = "location_request_message"
	kindOrder        = "order_details"
	kindOrderStatus  = "order_status"
	kindProduct      = "product"
	kindProductList  = "product_list"
	kindRequestPhone = "request_contact_info"
	kindVoiceCall    = "voice_call"
)

// layouts in the order in which the error for another type lists them.
var layouts = []layout{
	{kindAddress, anyHeader, false, maxBodyText, true, true},
	{kindButton, anyHeader, false, maxBodyText, true, true},
	{kindCallRequest, nil, false, maxBodyText, false, false},
	{kindCarousel, nil, false, maxBodyText, true, false},
	{kindCatalog, nil, false, maxBodyText, true, true},
	{kindCTA, anyHeader, false, maxBodyText, true, true},
	{kindFlow, anyHeader, false, maxBodyText, true, true},
	{kindList, textHeader, false, maxListBody, true, true},
	{kindLocation, nil, false, maxBodyText, true, false},
	{kindOrder, []string{TypeImage, TypeDocument}, false, maxBodyText, true, true},
	{kindOrderStatus, nil, false, maxBodyText, true, true},
	{kindProduct, nil, false, maxBodyText, false, true},
	{kindProductList, textHeader, true, maxBodyText, true, true},
	{kindRequestPhone, nil, false, maxBodyText, true, false},
	{kindVoiceCall, nil, false, maxBodyText, true, false},
}

var interactiveTypes = func() (names []string) {
	for _, l := range layouts {
		names = append(names, l.name)
	}
	return names
}()

var interactiveKeys = []string{"type", "header", "body", "footer", "action"}

// interactive writes the header first: what strangers wrote freely, as in the data of a flow, comes behind the
// placeholders of files.
func (f *form[V]) interactive(v V) {
	f.within(v, interactiveKeys, func(o V) {
		name := f.enum(o, "type", "", interactiveTypes...)
		at := slices.Index(interactiveTypes, name)
		if at < 0 {
			return
		}
		l := &layouts[at]
		f.kind = l.name
		f.object(TypeInteractive, func() {
			f.put("type", l.name)
			f.header(o, l)
			f.words(o, "body", l.body, l.needBody, "Body text")
			if l.footer || !f.banned(o, "footer", l.name) {
				f.words(o, "footer", maxFooter, false, "Footer text")
			}
			f.action(o, l.name)
		})
	})
}

// banned reports whether o has a member that the type does not take.
func (f *form[V]) banned(o V, name, kind string) bool {
	if !o.Get(name).Present() {
		return false
	}
	f.wrong("Parameter '" + name + "' is not supported for interactive message type '" + kind + "'.")
	return true
}

var textKeys = []string{"text"}

// words reads body or footer, {"text"}.
func (f *form[V]) words(o V, name string, most int, needed bool, what string) {
	v := o.Get(name)
	if !v.Present() {
		if needed {
			f.missing(name)
		}
		return
	}
	f.within(v, textKeys, func(o V) {
		s := ""
		if needed {
			s = f.label(o, "text", what, most)
		} else if s = f.option(o, "text", what, most); s == "" {
			return
		}
		f.object(name, func() { f.put("text", s) })
	})
}

var headerKeys = []string{"type", "text", "sub_text", TypeImage, TypeVideo, TypeDocument}

func (f *form[V]) header(o V, l *layout) {
	v := o.Get("header")
	switch {
	case !v.Present():
		if l.needHeader {
			f.missing("header")
		}
		return
	case len(l.headers) == 0:
		f.banned(o, "header", l.name)
		return
	}
	f.within(v, headerKeys, func(h V) { f.headerOf(h, l.headers, l.name) })
}

// headerOf reads a header of one of the kinds.
func (f *form[V]) headerOf(h V, kinds []string, of string) {
	kind := f.enum(h, "type", "", anyHeader...)
	if f.err != nil || kind == "" {
		return
	}
	if !slices.Contains(kinds, kind) {
		f.wrong("Header of type '" + kind + "' is not supported for interactive message type '" + of + "'.")
		return
	}
	f.object("header", func() {
		f.put("type", kind)
		if kind != TypeText {
			if m := h.Get(kind); m.Present() {
				f.media(kind, m, headerExtras[kind])
			} else {
				f.missing(kind)
			}
			return
		}
		f.put("text", f.label(h, "text", "Header text", maxHeader))
		f.putSome("sub_text", f.option(h, "sub_text", "Header sub text", maxHeader))
	})
}

// action reads what the type is there for.
func (f *form[V]) action(o V, name string) {
	switch name {
	case kindButton:
		f.act(o, "", []string{"buttons"}, f.replyButtons)
	case kindList:
		f.act(o, "", []string{"button", "sections"}, f.listAction)
	case kindCTA:
		f.act(o, kindCTA, nil, f.ctaParameters)
	case kindFlow:
		f.act(o, kindFlow, nil, f.flowParameters)
	case kindLocation:
		f.act(o, "send_location", nil, nil)
	case kindRequestPhone, kindCallRequest:
		f.act(o, name, nil, nil)
	case kindVoiceCall:
		f.act(o, name, nil, f.callParameters)
	case kindAddress:
		f.act(o, name, nil, f.addressParameters)
	case kindProduct:
		f.act(o, "", []string{"catalog_id", "product_retailer_id"}, f.productAction)
	case kindProductList:
		f.act(o, "", []string{"catalog_id", "sections"}, f.productListAction)
	case kindCatalog:
		f.act(o, name, nil, f.catalogParameters)
	case kindCarousel:
		f.act(o, "", []string{"cards"}, f.carouselAction)
	case kindOrder:
		f.act(o, "review_and_pay", nil, f.orderParameters)
	case kindOrderStatus:
		f.act(o, "review_order", nil, f.orderStatusParameters)
	}
}

// act reads the action. With a name, that is its name and read gets the whole action to find its parameters in; else the
// action has the given members.
func (f *form[V]) act(o V, name string, keys []string, read func(a V)) {
	if name != "" {
		keys = []string{"name", "parameters"}
		if read == nil {
			keys = keys[:1]
		}
	}
	f.part(o, "action", keys, func(a V) {
		f.object("action", func() {
			if name != "" {
				f.enum(a, "name", "", name)
				f.put("name", name)
			}
			if read != nil {
				read(a)
			}
		})
	})
}
