package template

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Param is one parameter of a send. Source: spec/messages.md section 11.2.
type Param struct {
	Type string // one of paramTypes
	Name string // parameter_name
	Text string // text, payload, coupon_code; of currency and date_time the fallback_value

	Media    Media        // image, video, document, gif
	Location *Location    // location
	Product  *Product     // product
	Action   *Action      // action
	Order    *OrderStatus // order_status
	Targets  []TapTarget  // tap_target_configuration
	Number   int64        // limited_time_offer: expiration_time_ms; ttl_minutes

	given   bool // the member that Type names was there
	hasName bool
}

// Media is a file that a message shows: by media id or by link, one of the two.
type Media struct {
	Kind     string // "image", "video", "document" or "gif"
	ID       string
	Link     string
	Filename string // document
	Path     string // of the parameter, for errors: "template['components'][0]['parameters'][0]['image']"
}

// Location is the place that a location header shows.
type Location struct {
	Latitude, Longitude float64
	Name, Address       string
}

// Product is an item of a catalog.
type Product struct {
	RetailerID, CatalogID string
}

// Action is what a button of kind flow, catalog, mpm or order_details is given.
type Action struct {
	FlowToken    string
	FlowData     []byte // flow_action_data: a JSON object
	Thumbnail    string // thumbnail_product_retailer_id
	Sections     []Section
	OrderDetails []byte // a JSON object
	path         string
}

// Section of the list of a multi-product message.
type Section struct {
	Title    string
	Products []string // retailer ids
}

// OrderStatus is the news about an order.
type OrderStatus struct {
	Reference, Status, Description string
}

// TapTarget is where a tap on the whole message leads.
type TapTarget struct {
	URL, Title string
}

var (
	paramTypes = []string{
		"text", "currency", "date_time", "image", "video", "document", "gif", "location", "product", "payload",
		"coupon_code", "action", "limited_time_offer", "order_status", "tap_target_configuration", "ttl_minutes",
	}
	paramKeys     = append([]string{"type", "parameter_name"}, paramTypes...)
	orderStatuses = []string{"pending", "processing", "partially_shipped", "shipped", "completed", "canceled"}
)

func parseParam[V Value[V]](p *Param, v V) error {
	o, err := v.Object()
	if err != nil {
		return err
	}
	if err = o.Only(paramKeys...); err != nil {
		return err
	}
	if p.Type, err = o.Get("type").Enum(paramTypes...); err != nil {
		return err
	}
	if p.Name, err = o.Get("parameter_name").StrOr(""); err != nil {
		return err
	}
	p.hasName = o.Get("parameter_name").Present()
	m := o.Get(p.Type)
	if p.given = m.Present(); !p.given {
		return nil
	}
	return parseMember(p, m)
}

func parseMember[V Value[V]](p *Param, m V) (err error) {
	switch p.Type {
	case "text", "payload", "coupon_code":
		p.Text, err = m.Str()
		return err
	case "ttl_minutes":
		p.Number, err = m.Int()
		return err
	case "tap_target_configuration":
		p.Targets, err = parseTargets(m)
		return err
	}
	o, err := m.Object()
	if err != nil {
		return err
	}
	switch p.Type {
	case "currency", "date_time":
		p.Text, err = parseFallback(p.Type, o)
	case "image", "video", "document", "gif":
		p.Media, err = parseMedia(p.Type, o)
	case "location":
		p.Location, err = parseLocation(o)
	case "product":
		p.Product = &Product{}
		err = texts(o, member{"product_retailer_id", &p.Product.RetailerID}, member{"catalog_id", &p.Product.CatalogID})
	case "limited_time_offer":
		p.Number, err = o.Get("expiration_time_ms").Int()
	case "order_status":
		p.Order, err = parseOrder(o)
	case "action":
		p.Action, err = parseAction(o)
	}
	return err
}

type member struct {
	key string
	to  *string
}

// texts reads optional string members; nothing else may be in the object.
func texts[V Value[V]](o V, members ...member) (err error) {
	keys := make([]string, len(members))
	for i, m := range members {
		keys[i] = m.key
		if *m.to, err = o.Get(m.key).StrOr(""); err != nil {
			return err
		}
	}
	return o.Only(keys...)
}

// parseFallback reads what a client shows that cannot localise the value: here everybody sees it. Other members of
// date_time are ignored.
func parseFallback[V Value[V]](kind string, o V) (string, error) {
	if kind == "currency" {
		if code, err := o.Get("code").Str(); err != nil {
			return "", err
		} else if len(code) != 3 || strings.ToUpper(code) != code {
			return "", wa.ErrParamType.Fill(o.Get("code").Path(), "an ISO 4217 currency code")
		}
		if _, err := o.Get("amount_1000").Int(); err != nil {
			return "", err
		}
	}
	return o.Get("fallback_value").Str()
}

func parseMedia[V Value[V]](kind string, o V) (Media, error) {
	m := Media{Kind: kind, Path: o.Path()}
	members := []member{{"id", nil}, {"link", &m.Link}}
	if kind == "document" {
		members = append(members, member{"filename", &m.Filename})
	}
	if id := o.Get("id"); id.Present() {
		var err error
		if m.ID, err = id.ID(); err != nil { // clients send it as a number, too
			return m, err
		}
	}
	keys := []string{"id"}
	for _, t := range members[1:] {
		var err error
		if *t.to, err = o.Get(t.key).StrOr(""); err != nil {
			return m, err
		}
		keys = append(keys, t.key)
	}
	if err := o.Only(keys...); err != nil {
		return m, err
	}
	if m.Link != "" {
		if u, err := url.Parse(m.Link); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return m, wa.ErrParamURI.Fill(o.Get("link").Path())
		}
	}
	return m, nil
}

func parseLocation[V Value[V]](o V) (*Location, error) {
	if err := o.Only("latitude", "longitude", "name", "address"); err != nil {
		return nil, err
	}
	l := &Location{}
	var err error
	if l.Latitude, err = o.Get("latitude").Float(); err != nil {
		return nil, err
	}
	if l.Longitude, err = o.Get("longitude").Float(); err != nil {
		return nil, err
	}
	if l.Name, err = o.Get("name").StrOr(""); err != nil {
		return nil, err
	}
	l.Address, err = o.Get("address").StrOr("")
	return l, err
}

func parseOrder[V Value[V]](o V) (*OrderStatus, error) {
	if err := o.Only("reference_id", "order"); err != nil {
		return nil, err
	}
	s := &OrderStatus{}
	var err error
	if s.Reference, err = o.Get("reference_id").Str(); err != nil {
		return nil, err
	}
	order, err := o.Get("order").Object()
	if err != nil {
		return nil, err
	}
	if err = order.Only("status", "description"); err != nil {
		return nil, err
	}
	if s.Status, err = order.Get("status").Enum(orderStatuses...); err != nil {
		return nil, err
	}
	s.Description, err = order.Get("description").StrOr("")
	return s, err
}

func parseTargets[V Value[V]](v V) ([]TapTarget, error) {
	list, err := v.List()
	if err != nil {
		return nil, err
	}
	if len(list) > maxTargets {
		return nil, wa.ErrParamType.Fill(v.Path(), "an array of at most 1 target")
	}
	out := make([]TapTarget, len(list))
	for i, e := range list {
		o, err := e.Object()
		if err != nil {
			return nil, err
		}
		if err = texts(o, member{"url", &out[i].URL}, member{"title", &out[i].Title}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseAction[V Value[V]](o V) (*Action, error) {
	if err := o.Only("flow_token", "flow_action_data", "thumbnail_product_retailer_id", "sections", "order_details"); err != nil {
		return nil, err
	}
	a := &Action{path: o.Path()}
	var err error
	if a.FlowToken, err = o.Get("flow_token").StrOr(""); err != nil {
		return nil, err
	}
	if a.Thumbnail, err = o.Get("thumbnail_product_retailer_id").StrOr(""); err != nil {
		return nil, err
	}
	for _, m := range [...]struct {
		key string
		to  *[]byte
	}{{"flow_action_data", &a.FlowData}, {"order_details", &a.OrderDetails}} {
		if v := o.Get(m.key); v.Present() {
			if *m.to, err = freeObject(v, maxFreeJSON); err != nil {
				return nil, err
			}
		}
	}
	a.Sections, err = parseSections(o.Get("sections"))
	return a, err
}

func parseSections[V Value[V]](v V) ([]Section, error) {
	list, err := v.ListOr()
	if err != nil {
		return nil, err
	}
	if len(list) > maxSections {
		return nil, wa.ErrParamType.Fill(v.Path(), "an array of at most 10 sections")
	}
	out := make([]Section, len(list))
	for i, e := range list {
		o, err := e.Object()
		if err != nil {
			return nil, err
		}
		if err = o.Only("title", "product_items"); err != nil {
			return nil, err
		}
		if out[i].Title, err = o.Get("title").StrOr(""); err != nil {
			return nil, err
		}
		items, err := o.Get("product_items").List()
		if err != nil {
			return nil, err
		}
		if len(items) > maxProducts {
			return nil, wa.ErrParamType.Fill(o.Get("product_items").Path(), "an array of at most 30 products")
		}
		for _, it := range items {
			id, err := it.Get("product_retailer_id").Str()
			if err != nil {
				return nil, err
			}
			out[i].Products = append(out[i].Products, id)
		}
	}
	return out, nil
}

// freeObject reads an object whose members nobody here reads, of at most limit bytes.
func freeObject[V Value[V]](v V, limit int) ([]byte, error) {
	o, err := v.Object()
	if err != nil {
		return nil, err
	}
	b := foreign(o.AppendJSON(nil))
	if len(b) > limit {
		return nil, wa.ErrParamType.Fill(v.Path(), "an object of at most "+itoa(limit)+" bytes")
	}
	return b, nil
}

// foreign makes sure that JSON of the caller cannot be taken for the placeholder of a file: `"blob":"#` becomes another
// spelling of the same text.
func foreign(b []byte) []byte {
	return bytes.ReplaceAll(b, []byte(`"blob":"#`), []byte(`"blob":"\u0023`))
}
