package property_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	jsonv2 "github.com/go-json-experiment/json"
)

// hook is a webhook of the field messages, as far as one person's messages cause it: nothing else may be in it. Source:
// spec/webhooks.md sections 10 to 14.
type hook struct {
	Object string  `json:"object"`
	Entry  []entry `json:"entry"`
}

type entry struct {
	ID      string   `json:"id"`
	Changes []change `json:"changes"`
}

type change struct {
	Value value  `json:"value"`
	Field string `json:"field"`
}

type value struct {
	Product  string `json:"messaging_product"`
	Metadata struct {
		Digits string `json:"display_phone_number"`
		Number string `json:"phone_number_id"`
	} `json:"metadata"`
	Contacts []struct {
		Profile struct {
			Name string `json:"name"`
		} `json:"profile"`
		WaID   string `json:"wa_id"`
		UserID string `json:"user_id"`
	} `json:"contacts"`
	Messages []inbound `json:"messages"`
	Statuses []status  `json:"statuses"`
}

type status struct {
	ID        string `json:"id"`
	Status    string `json:"status"`
	Timestamp string `json:"timestamp"`
	Recipient string `json:"recipient_id"`
	UserID    string `json:"recipient_user_id"`
	Opaque    string `json:"biz_opaque_callback_data"`

	Conversation *struct {
		ID      string `json:"id"`
		Expires string `json:"expiration_timestamp"`
		Origin  struct {
			Type string `json:"type"`
		} `json:"origin"`
	} `json:"conversation"`
	Pricing *struct {
		Billable bool   `json:"billable"`
		Model    string `json:"pricing_model"`
		Type     string `json:"type"`
		Category string `json:"category"`
	} `json:"pricing"`
}

type inbound struct {
	From       string `json:"from"`
	FromUserID string `json:"from_user_id"`
	ID         string `json:"id"`
	Timestamp  string `json:"timestamp"`
	Type       string `json:"type"`
	Context    *struct {
		From string `json:"from"`
		ID   string `json:"id"`
	} `json:"context"`

	Text *struct {
		Body string `json:"body"`
	} `json:"text"`
	Image    *file `json:"image"`
	Video    *file `json:"video"`
	Audio    *file `json:"audio"`
	Document *file `json:"document"`
	Sticker  *file `json:"sticker"`
	Location *struct {
		Latitude  *float64 `json:"latitude"`
		Longitude *float64 `json:"longitude"`
		Name      string   `json:"name"`
		Address   string   `json:"address"`
	} `json:"location"`
	Contacts []card `json:"contacts"`
	Reaction *struct {
		ID    string `json:"message_id"`
		Emoji string `json:"emoji"`
	} `json:"reaction"`
	Button *struct {
		Payload string `json:"payload"`
		Text    string `json:"text"`
	} `json:"button"`
	Interactive *struct {
		Type   string `json:"type"`
		Button *reply `json:"button_reply"`
		List   *reply `json:"list_reply"`
		Form   *struct {
			Name     string `json:"name"`
			Body     string `json:"body"`
			Response string `json:"response_json"`
		} `json:"nfm_reply"`
		Call *struct {
			Response  string `json:"response"`
			Permanent *bool  `json:"is_permanent"`
			Expires   string `json:"expiration_timestamp"`
			Source    string `json:"response_source"`
		} `json:"call_permission_reply"`
	} `json:"interactive"`
	Order *struct {
		Catalog string `json:"catalog_id"`
		Text    string `json:"text"`
		Items   []struct {
			SKU      string  `json:"product_retailer_id"`
			Quantity int     `json:"quantity"`
			Price    float64 `json:"item_price"`
			Currency string  `json:"currency"`
		} `json:"product_items"`
	} `json:"order"`
}

type file struct {
	Caption  string `json:"caption"`
	Filename string `json:"filename"`
	MIME     string `json:"mime_type"`
	SHA256   string `json:"sha256"`
	ID       string `json:"id"`
	URL      string `json:"url"`
	Voice    *bool  `json:"voice"`
	Animated *bool  `json:"animated"`
}

type reply struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

type card struct {
	Origin string `json:"origin"`
	VCard  string `json:"vcard"`
	Name   *struct {
		Formatted string `json:"formatted_name"`
		First     string `json:"first_name"`
		Last      string `json:"last_name"`
		Middle    string `json:"middle_name"`
		Suffix    string `json:"suffix"`
		Prefix    string `json:"prefix"`
	} `json:"name"`
	Birthday string `json:"birthday"`
	Org      *struct {
		Company    string `json:"company"`
		Department string `json:"department"`
		Title      string `json:"title"`
	} `json:"org"`
	Phones []struct {
		Phone string `json:"phone"`
		WaID  string `json:"wa_id"`
		Type  string `json:"type"`
	} `json:"phones"`
	Emails []struct {
		Email string `json:"email"`
		Type  string `json:"type"`
	} `json:"emails"`
	URLs []struct {
		URL  string `json:"url"`
		Type string `json:"type"`
	} `json:"urls"`
	Addresses []struct {
		Street  string `json:"street"`
		City    string `json:"city"`
		State   string `json:"state"`
		Zip     string `json:"zip"`
		Country string `json:"country"`
		Code    string `json:"country_code"`
		Type    string `json:"type"`
	} `json:"addresses"`
}

var (
	wamid  = regexp.MustCompile(`^wamid\.[A-Za-z0-9+/]+=*$`)
	bsuid  = regexp.MustCompile(`^[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]{1,128}$`)
	digits = regexp.MustCompile(`^[0-9]{7,15}$`)
)

// readHook reads a webhook strictly and checks what holds for every one. It has one message or one status.
func (s *stand) readHook(p *pair, body string) (*value, error) {
	var h hook
	if err := jsonv2.Unmarshal([]byte(body), &h, jsonv2.RejectUnknownMembers(true)); err != nil {
		return nil, err
	}
	if h.Object != "whatsapp_business_account" || len(h.Entry) != 1 || h.Entry[0].ID != s.start.WABA || len(h.Entry[0].Changes) != 1 {
		return nil, fmt.Errorf("another envelope")
	}
	c := &h.Entry[0].Changes[0]
	v := &c.Value
	if c.Field != "messages" || v.Product != "whatsapp" || v.Metadata.Digits != p.digits || v.Metadata.Number != p.number {
		return nil, fmt.Errorf("another number or field")
	}
	// Who it is about is not said again when something was played. Source: spec/webhooks.md section 10.
	if quiet := len(v.Statuses) == 1 && v.Statuses[0].Status == "played"; quiet != (v.Contacts == nil) {
		return nil, fmt.Errorf("contacts: %+v", v.Contacts)
	} else if !quiet && (len(v.Contacts) != 1 || v.Contacts[0].WaID != p.phone.digits || v.Contacts[0].Profile.Name == "" || v.Contacts[0].UserID != p.userID && p.userID != "") {
		return nil, fmt.Errorf("another contact")
	}
	var id, at, waID, userID string
	switch {
	case len(v.Messages) == 1 && v.Statuses == nil:
		m := &v.Messages[0]
		id, at, waID, userID = m.ID, m.Timestamp, m.From, m.FromUserID
	case len(v.Statuses) == 1 && v.Messages == nil:
		u := &v.Statuses[0]
		id, at, waID, userID = u.ID, u.Timestamp, u.Recipient, u.UserID
	default:
		return nil, fmt.Errorf("not one message or one status")
	}
	if n, err := strconv.ParseInt(at, 10, 64); err != nil || n < s.world.Now.Unix()-3600 || n > s.clock.Now().Unix() {
		return nil, fmt.Errorf("timestamp %q", at)
	}
	if !wamid.MatchString(id) || waID != p.phone.digits || !digits.MatchString(waID) || !bsuid.MatchString(userID) || p.userID != "" && userID != p.userID {
		return nil, fmt.Errorf("id %q of %q, %q", id, waID, userID)
	}
	if s.spec != nil {
		if list := s.spec.Webhook(body); list != nil {
			return nil, fmt.Errorf("differs from the published description: %q", list)
		}
	}
	return v, nil
}

// keys are under which the messages and statuses of a webhook are waited for.
func keys(body []byte) (list []string) {
	var h struct {
		Entry []struct {
			Changes []struct {
				Value struct {
					Messages, Statuses []struct{ ID, Status string }
				}
			}
		}
	}
	if json.Unmarshal(body, &h) != nil {
		return nil
	}
	for _, e := range h.Entry {
		for _, c := range e.Changes {
			for _, m := range append(c.Value.Messages, c.Value.Statuses...) {
				list = append(list, m.ID+"/"+m.Status)
			}
		}
	}
	return list
}
