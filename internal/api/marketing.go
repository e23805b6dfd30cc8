package api

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// marketingKeys are what a call to /marketing_messages may have. Other types than template are read to be refused by name.
var marketingKeys = []string{
	"messaging_product", "recipient_type", "to", "recipient", "type", "template", "context", "biz_opaque_callback_data",
	"recipient_identity_key_hash", "product_policy", "message_activity_sharing", "bid_spec",
	message.TypeAudio, message.TypeContacts, message.TypeDocument, message.TypeImage, message.TypeInteractive,
	message.TypeLocation, message.TypePin, message.TypeReaction, message.TypeSticker, message.TypeText, message.TypeVideo,
}

// marketing is what a call to /marketing_messages has besides the message.
type marketing struct{ bid bool }

// readMarketing is gate 6 of spec/messages.md section 15. Every account counts as onboarded, so both policies are the same.
func readMarketing(p graph.Value) (*marketing, error) {
	if err := p.Only(marketingKeys...); err != nil {
		return nil, err
	}
	if _, err := p.Get("recipient_type").EnumOr("individual", "individual"); err != nil {
		return nil, err
	}
	if _, err := p.Get("product_policy").EnumOr("", "CLOUD_API_FALLBACK", "STRICT"); err != nil {
		return nil, err
	}
	if _, err := p.Get("message_activity_sharing").BoolOr(true); err != nil {
		return nil, err
	}
	spec := p.Get("bid_spec")
	if !spec.Present() {
		return &marketing{}, nil
	}
	o, err := spec.Object()
	if err != nil {
		return nil, err
	}
	if err := o.Only("per_message_bid_multiplier"); err != nil {
		return nil, err
	}
	x, err := o.Get("per_message_bid_multiplier").Float()
	if err != nil {
		return nil, err
	}
	if x <= 0 {
		return nil, o.Get("per_message_bid_multiplier").Invalid("must be greater than 0")
	}
	return &marketing{bid: true}, nil
}

// sendMarketing is POST /{phone-number-id}/marketing_messages.
func (s *surface) sendMarketing(ctx context.Context, c *graph.Call, n number) (any, error) {
	mm, err := readMarketing(c.Params)
	if err != nil {
		return nil, err
	}
	return s.message(ctx, c, n, mm)
}

// syncTime is how long a template takes to reach the marketing API. Source: spec/messages.md section 15.
const syncTime = 10 * time.Minute

// takes is what the marketing API asks of a template: gate 10.
func (mm *marketing) takes(t *template.Template, now time.Time) error {
	switch {
	case t.Category != template.Marketing:
		return wa.ErrOnlyMarketing
	case now.Before(t.Created.Add(syncTime)):
		return wa.ErrTemplateSyncing
	}
	return nil
}
