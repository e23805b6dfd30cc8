package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// What messages carry besides their text: the same picture in all of them.
const (
	MediaID   = "id"   // uploaded once
	MediaLink = "link" // served by the bench
)

// bodyText and the like come between the recipient and the number of a message.
const (
	bodyText    = `","type":"text","text":{"body":"` + words
	bodyPicture = `","type":"image","image":{%s,"caption":"` + words
	words       = `Your table is ready. Please come to the counter, number `
)

// linkLife is how long a platform keeps what it fetched. Source: spec/media.md section 8.
const linkLife = 10 * time.Minute

// origin serves the picture to whoever fetches the link.
type origin struct {
	hits  atomic.Int64
	clock clock.Clock
	began time.Time
	srv   *http.Server
	url   string
}

func (o *origin) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	o.hits.Add(1)
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(picture()) // one that has gone is not counted as served
}

// due is how many fetches the link may have cost by now.
func (o *origin) due() int64 { return 1 + int64(o.clock.Now().Sub(o.began)/linkLife) }

func serveOrigin(ctx context.Context, c clock.Clock) (*origin, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve a picture: %w", err)
	}
	o := &origin{clock: c, began: c.Now(), url: "http://" + l.Addr().String() + "/table.png"}
	o.srv = &http.Server{Handler: o, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = o.srv.Serve(l) }() // until Close
	return o, nil
}

// picture is a PNG of some 50 KB.
func picture() []byte {
	const side = 128
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // always the same noise, which does not compress
	for i := range img.Pix {
		img.Pix[i] = byte(r.Uint32())
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

// upload stores the picture on a number and returns its id.
func (o *operator) upload(ctx context.Context, number string) (string, error) {
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	err := m.WriteField("messaging_product", "whatsapp")
	if err == nil {
		h := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="table.png"`}, "Content-Type": {"image/png"}}
		if part, e := m.CreatePart(h); e == nil {
			_, err = part.Write(picture())
		} else {
			err = e
		}
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		return "", fmt.Errorf("write a form: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.t.BaseURL+"/"+o.t.Version+"/"+number+"/media", &form)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+o.t.Token)
	req.Header.Set("Content-Type", m.FormDataContentType())
	b, err := o.do(req)
	if err != nil {
		return "", fmt.Errorf("upload a picture: %w", err)
	}
	var answer struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(b, &answer); err != nil || answer.ID == "" {
		return "", fmt.Errorf("upload a picture: %s", b)
	}
	return answer.ID, nil
}

// content is what messages say up to their number. With media by link it starts the server of the picture.
func (r *run) content(ctx context.Context) (string, error) {
	switch r.o.Media {
	case MediaID:
		id, err := r.op.upload(ctx, r.op.t.NumberID)
		return fmt.Sprintf(bodyPicture, `"id":"`+id+`"`), err
	case MediaLink:
		var err error
		if r.origin, err = serveOrigin(ctx, r.o.Clock); err != nil {
			return "", err
		}
		return fmt.Sprintf(bodyPicture, `"link":"`+r.origin.url+`"`), nil
	}
	return bodyText, nil
}
