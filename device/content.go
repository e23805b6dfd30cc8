package device

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// content is the union of the objects that a type names, as far as devices show them.
type content struct {
	file
	location
	Type    string `json:"type"`
	Body    words  `json:"body"`
	Text    words  `json:"text"`
	Footer  words  `json:"footer"`
	Header  header `json:"header"`
	Action  action `json:"action"`
	Buttons []struct {
		Type    string `json:"type"`
		Text    string `json:"text"`
		Payload string `json:"payload"`
		URL     string `json:"url"`
		Phone   string `json:"phone_number"`
		Code    string `json:"code"`
		FlowID  word   `json:"flow_id"`
		Token   string `json:"flow_token"`
		Catalog word   `json:"catalog_id"`
		parameters
		Sections []section  `json:"sections"`
		Details  parameters `json:"order_details"`
	} `json:"buttons"`
	Carousel struct {
		Cards cards `json:"cards"`
	} `json:"carousel"`
	Offer       offer     `json:"limited_time_offer"`
	News        news      `json:"order_status"`
	Tap         tapTarget `json:"tap_target"`
	MayCall     bool      `json:"call_permission_request"`
	ButtonReply option    `json:"button_reply"`
	ListReply   option    `json:"list_reply"`
	FormReply   formReply `json:"nfm_reply"`
	CallReply   struct {
		Response string `json:"response"`
	} `json:"call_permission_reply"`
	Emoji     string `json:"emoji"`
	MessageID string `json:"message_id"`
	Original  string `json:"original_message_id"`
	Message   nested `json:"message"`
}

type cards []content

// words reads a string, or the text of an object: bodies come as both.
type words string

// UnmarshalJSON implements json.Unmarshaler; what is neither gives "".
func (w *words) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		b = member(b, "text")
	}
	*w = words(text(b))
	return nil
}

// word reads a string or a number.
type word string

// UnmarshalJSON implements json.Unmarshaler.
func (w *word) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*w = word(text(b))
	} else if len(b) > 0 && (b[0] == '-' || (b[0] >= '0' && b[0] <= '9')) {
		*w = word(b)
	}
	return nil
}

type file struct {
	MIME     string `json:"mime_type"`
	Caption  string `json:"caption"`
	Filename string `json:"filename"`
	Voice    bool   `json:"voice"`
	Animated bool   `json:"animated"`
	Size     int64  `json:"size"`
	Link     string `json:"link"`
	Blob     *Blob  `json:"blob"`
}

func (f *file) media(kind string) *Media {
	if f == nil || (f.Blob == nil && f.MIME == "" && f.Link == "") {
		return nil
	}
	m := &Media{
		Kind: kind, MIME: f.MIME, Caption: f.Caption, Filename: f.Filename, Voice: f.Voice, Animated: f.Animated, Size: f.Size,
		Link: f.Link, Blob: f.Blob,
	}
	if m.Size == 0 && m.Blob != nil {
		m.Size = m.Blob.Size
	}
	return m
}

type location struct {
	Latitude  word   `json:"latitude"`
	Longitude word   `json:"longitude"`
	Name      words  `json:"name"`
	Address   words  `json:"address"`
	URL       string `json:"url"`
}

func (l *location) place() *Place {
	lat, err := strconv.ParseFloat(string(l.Latitude), 64)
	lon, wrong := strconv.ParseFloat(string(l.Longitude), 64)
	if err != nil || wrong != nil || !(lat >= -90 && lat <= 90) || !(lon >= -180 && lon <= 180) {
		return nil
	}
	return &Place{lat, lon, string(l.Name), string(l.Address), l.URL}
}

type header struct {
	Type     string    `json:"type"`
	Text     words     `json:"text"`
	Image    *file     `json:"image"`
	Video    *file     `json:"video"`
	GIF      *file     `json:"gif"`
	Document *file     `json:"document"`
	Location *location `json:"location"`
	Product  product   `json:"product"`
}

func (h *header) file() *file {
	for _, f := range []*file{h.Image, h.Video, h.GIF, h.Document} {
		if f != nil {
			return f
		}
	}
	return nil
}

type option struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

// opening is how a flow begins.
type opening struct {
	Action  string `json:"flow_action"`
	Payload struct {
		Screen string         `json:"screen"`
		Data   map[string]any `json:"data"`
	} `json:"flow_action_payload"`
}

// parameters are what the buttons of an action carry.
type parameters struct {
	Text   string `json:"display_text"`
	URL    string `json:"url"`
	FlowID word   `json:"flow_id"`
	Flow   string `json:"flow_name"`
	CTA    string `json:"flow_cta"`
	Token  string `json:"flow_token"`
	opening
	Country string `json:"country"`
	Ref     string `json:"reference_id"`
	Total   struct {
		Value  float64 `json:"value"`
		Offset float64 `json:"offset"`
	} `json:"total_amount"`
	Currency string `json:"currency"`
	Order    struct {
		Status      string `json:"status"`
		Description string `json:"description"`
	} `json:"order"`
}

// section is a part of a list of rows or products.
type section struct {
	Title    string    `json:"title"`
	Rows     []option  `json:"rows"`
	Products []product `json:"product_items"`
}

type product struct {
	SKU     string `json:"product_retailer_id"`
	Catalog word   `json:"catalog_id"`
}

// offer is what a template offers for a while.
type offer struct {
	Text    string `json:"text"`
	Expires int64  `json:"expiration_time_ms"`
}

// news is how an order stands.
type news struct {
	Ref   string `json:"reference_id"`
	Order struct {
		Status      string `json:"status"`
		Description string `json:"description"`
	} `json:"order"`
}

// tapTarget is where a tap on a message leads.
type tapTarget struct {
	URL   string `json:"url"`
	Title string `json:"title"`
}

type action struct {
	Name    string `json:"name"`
	Button  string `json:"button"`
	Buttons []struct {
		Reply      option `json:"reply"`
		QuickReply option `json:"quick_reply"`
	} `json:"buttons"`
	Sections   []section  `json:"sections"`
	Parameters parameters `json:"parameters"`
	Catalog    word       `json:"catalog_id"`
	Product    string     `json:"product_retailer_id"`
	Cards      cards      `json:"cards"`
}

// nested is a message inside another one, and its bytes.
type nested struct {
	Type word
	raw  []byte
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *nested) UnmarshalJSON(b []byte) error {
	n.raw = slices.Clone(b)
	n.Type = word(text(member(b, "type")))
	return nil
}

type formReply struct {
	Name     string `json:"name"`
	Body     string `json:"body"`
	Response string `json:"response_json"`
}

// words is a filled-in form in a line: its fields by name, without the token.
func (f *formReply) words() string {
	var fields map[string]any
	if json.Unmarshal([]byte(f.Response), &fields) != nil {
		return f.Body
	}
	if values, ok := fields["values"].(map[string]any); ok {
		fields = values
	}
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if k == "flow_token" {
			continue
		}
		v, err := json.Marshal(fields[k])
		if s, ok := fields[k].(string); ok {
			v, err = []byte(s), nil
		}
		if err != nil {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(k + ": " + string(v))
	}
	if b.Len() == 0 {
		return f.Body
	}
	return b.String()
}
