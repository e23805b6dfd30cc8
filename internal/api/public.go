package api

import (
	"net/http"
	"net/url"
	"strings"

	goqr "github.com/piglig/go-qr"

	"github.com/hikyaku/hikyaku/internal/business"
)

// The paths of what browsers and phones fetch without a token.
const (
	QRPath      = "/qr/"      // {code}.svg or {code}.png
	PicturePath = "/pp/"      // {picture}
	LinkPath    = "/message/" // {code}: opens a chat with the number behind a short link
)

// Look of a QR code: pixels per module, and the modules of the quiet zone that the standard asks for.
const (
	qrScale  = 8
	qrBorder = 4
)

// Public serves the images of QR codes, profile photos and short links. Ids are unguessable, and what is behind them is meant
// for everybody.
func Public(b *business.Service, pictures Pictures) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+QRPath+"{file}", func(w http.ResponseWriter, r *http.Request) { serveQR(w, r, b) })
	mux.HandleFunc("GET "+PicturePath+"{id}", func(w http.ResponseWriter, r *http.Request) {
		mime, data, err := pictures.Picture(r.Context(), r.PathValue("id"))
		switch {
		case err != nil:
			http.Error(w, "try again later", http.StatusServiceUnavailable)
		case data == nil:
			http.NotFound(w, r)
		default:
			writeImage(w, mime, data)
		}
	})
	mux.HandleFunc("GET "+LinkPath+"{code}", func(w http.ResponseWriter, r *http.Request) {
		q, ok := b.QRCode(r.PathValue("code"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		n, ok := b.Number(q.Number)
		if !ok || !n.Live() {
			http.NotFound(w, r)
			return
		}
		target := url.URL{Path: "/chat", RawQuery: url.Values{"phone": {string(n.WaID)}, "text": {q.Text}}.Encode()}
		http.Redirect(w, r, target.String(), http.StatusFound)
	})
	return mux
}

func serveQR(w http.ResponseWriter, r *http.Request, b *business.Service) {
	code, format, _ := strings.Cut(r.PathValue("file"), ".")
	if _, ok := b.QRCode(code); !ok || (format != "svg" && format != "png") {
		http.NotFound(w, r)
		return
	}
	mime, data, err := drawQR(DeepLink+code, format)
	if err != nil {
		http.Error(w, "the code cannot be drawn", http.StatusInternalServerError)
		return
	}
	writeImage(w, mime, data)
}

// drawQR draws a text as SVG or PNG.
func drawQR(text, format string) (mime string, data []byte, err error) {
	qr, err := goqr.EncodeText(text, goqr.Medium)
	if err != nil {
		return "", nil, err
	}
	if format == "png" {
		data, err = qr.ToPNGBytes(goqr.NewQrCodeImgConfig(qrScale, qrBorder))
		return "image/png", data, err
	}
	data, err = qr.ToSVGBytes(goqr.NewQrCodeImgConfig(qrScale, qrBorder, goqr.WithSVGXMLHeader()))
	return "image/svg+xml", data, err
}

func writeImage(w http.ResponseWriter, mime string, data []byte) {
	h := w.Header()
	h.Set("Content-Type", mime)
	h.Set("Cache-Control", "public, max-age=86400")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	_, _ = w.Write(data) // a reader that has gone cannot be told
}
