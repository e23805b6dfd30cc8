package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/media/mediatest"
)

// mediaSealer is sealer for the media room.
type mediaSealer struct{ sealer }

func (s mediaSealer) SealContent(_ int64, ad, plain []byte) ([]byte, error) { return s.Seal(ad, plain) }

// gallery is a world whose media are served, too.
type gallery struct {
	*world
	media *media.Service
	host  string // of the downloads
}

func newGallery(t *testing.T) *gallery {
	t.Helper()
	g := &gallery{}
	g.world = newWorld(t, func(o *api.Options) {
		blobs, err := media.OpenDir(filepath.Join(t.TempDir(), "blobs"))
		if err != nil {
			t.Fatal(err)
		}
		g.media, err = media.New(media.Options{Store: mediatest.NewStore(), Blobs: blobs, Vault: mediaSealer{}, Clock: o.Clock})
		if err != nil {
			t.Fatal(err)
		}
		o.Media = g.media
		srv := httptest.NewServer(api.NewDownload(api.DownloadOptions{Access: o.Access, Business: o.Business, Media: g.media}))
		t.Cleanup(srv.Close)
		g.host, o.BaseURL = srv.URL, srv.URL
	})
	return g
}

// part is one of a multipart form; without a file name it is a parameter.
type part struct{ name, file, kind, body string }

// form sends a multipart body to a path.
func (g *gallery) form(token, path string, parts ...part) reply {
	g.t.Helper()
	return g.call(token, "POST "+path, formOf(g.t, parts...), "Content-Type: multipart/form-data; boundary="+boundary)
}

const boundary = "xxxxxxxxxxxxxxxx"

// formOf is a multipart form.
func formOf(t testing.TB, parts ...part) string {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	if err := m.SetBoundary(boundary); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q`, p.name))
		if p.file != "" {
			h.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q; filename=%q`, p.name, p.file))
		}
		if p.kind != "" {
			h.Set("Content-Type", p.kind)
		}
		w, err := m.CreatePart(h)
		if err == nil {
			_, err = io.WriteString(w, p.body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func file(kind, body string) part { return part{"file", "a.bin", kind, body} }

var product = part{name: "messaging_product", body: "whatsapp"}

// upload returns the id of a file.
func (g *gallery) upload(number, kind string, content []byte) string {
	g.t.Helper()
	r := g.form("admin", "/v23.0/"+number+"/media", product, part{name: "type", body: kind}, file(kind, string(content)))
	var v struct{ ID string }
	if err := json.Unmarshal([]byte(r.body), &v); err != nil || !media.ValidID(v.ID) || r.body != `{"id":"`+v.ID+`"}` {
		g.t.Fatalf("upload: %d %s", r.status, r.body)
	}
	return v.ID
}

type description struct {
	Product string `json:"messaging_product"`
	URL     string
	MIME    string `json:"mime_type"`
	SHA256  string
	Size    int64 `json:"file_size"`
	ID      string
}

func (g *gallery) describe(id string) description {
	g.t.Helper()
	r := g.call("admin", "GET /v23.0/"+id, "")
	var d description
	if err := json.Unmarshal([]byte(r.body), &d); err != nil || r.status != 200 {
		g.t.Fatalf("describe: %d %s", r.status, r.body)
	}
	return d
}

func (g *gallery) download(token, method, address string, headers ...string) reply {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, address, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	g.head(req, token, "", headers)
	res, err := g.client.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return reply{res.StatusCode, string(b), res.Header}
}

// Source: spec/media.md section 18, rows 1 to 3, 10 and 13, and section 20.1.
func TestMedia(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	png := mediatest.PNG(64, 64)
	id := g.upload(numLive, "image/png", png)
	d := g.describe(id)
	sum := sha256.Sum256(png)
	if d.Product != "whatsapp" || d.MIME != "image/png" || d.SHA256 != hex.EncodeToString(sum[:]) || d.Size != int64(len(png)) || d.ID != id {
		t.Errorf("description %+v", d)
	}
	if r := g.call("admin", "GET /v23.0/"+id+"?fields=mime_type", ""); r.body != `{"mime_type":"image/png","id":"`+id+`"}` {
		t.Errorf("fields: %s", r.body)
	}
	if r := g.call("admin", "GET /v23.0/"+id+"?phone_number_id="+numLive, "{}"); r.status != 200 {
		t.Errorf("with its number: %d %s", r.status, r.body)
	}
	r := g.download("admin", "GET", d.URL)
	if r.status != 200 || r.body != string(png) || r.header.Get("Content-Type") != "image/png" || r.header.Get("Content-Length") != fmt.Sprint(len(png)) ||
		r.header.Get("Content-Disposition") != "attachment; filename="+id+".png" || r.header.Get("Accept-Ranges") != "bytes" {
		t.Errorf("download: %d, %d bytes, %v", r.status, len(r.body), r.header)
	}
	if made := g.clock.Now().UTC().Format(http.TimeFormat); r.header.Get("Last-Modified") != made || r.header.Get("ETag") == "" || r.header.Get("Cache-Control") == "" {
		t.Errorf("download at %s: %v", made, r.header)
	}
	if r := g.download("admin", "GET", d.URL, "Range: bytes=7-30"); r.status != 206 || r.body != string(png[7:31]) {
		t.Errorf("range: %d, %d bytes", r.status, len(r.body))
	}
	if r := g.download("clerk", "HEAD", d.URL); r.status != 200 || r.body != "" || r.header.Get("Content-Length") != fmt.Sprint(len(png)) {
		t.Errorf("head: %d %v", r.status, r.header)
	}
	for name, r := range map[string]reply{
		"describe with another number": g.call("admin", "GET /v23.0/"+id+"?phone_number_id="+numTest, ""),
		"describe by another tenant":   g.call("birch", "GET /v23.0/"+id, ""),
		"describe by an app":           g.call("app", "GET /v23.0/"+id, ""),
	} {
		if r.status != 400 || r.body != missing("get", id) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	for name, r := range map[string]reply{
		"delete by another tenant":   g.call("birch", "DELETE /v23.0/"+id, ""),
		"delete with another number": g.call("admin", "DELETE /v23.0/"+id+"?phone_number_id="+numTest, ""),
	} {
		if r.status != 400 || r.body != missing("delete", id) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	g.call("admin", "DELETE /v23.0/"+id+"?phone_number_id="+numLive, "{}").want(t, 200, `{"success":true}`)
	g.call("admin", "DELETE /v23.0/"+id, "").want(t, 400, missing("delete", id))
	g.call("admin", "GET /v23.0/"+id, "").want(t, 400, missing("get", id))
	if r := g.download("admin", "GET", d.URL); r.status != 404 {
		t.Errorf("download after the end: %d", r.status)
	}
	old := g.upload(numLive, "image/png", png)
	g.clock.Advance(media.UploadedLife)
	g.call("admin", "GET /v23.0/"+old, "").want(t, 400, missing("get", old))
}

// Source: spec/media.md section 5, spec/errors.md sections 5.1 and 19.
func TestDownloadsNeedURLAndToken(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	g.token("M", appA, adminA, scopeM)
	d := g.describe(g.upload(numLive, "application/pdf", mediatest.PDF(100)))
	for _, token := range []string{"", "garbage"} {
		r := g.download(token, "GET", d.URL)
		if r.status != 401 || !strings.HasPrefix(r.body, `{"error":{"message":"Authentication Error","type":"OAuthException","code":190,"fbtrace_id":"`) ||
			r.header.Get("WWW-Authenticate") == "" {
			t.Errorf("token %q: %d %s", token, r.status, r.body)
		}
	}
	forged := strings.Replace(d.URL, "hash=AR", "hash=AS", 1)
	for name, r := range map[string]reply{
		"another tenant": g.download("birch", "GET", d.URL), "an app": g.download("app", "GET", d.URL), "without the scope": g.download("M", "GET", d.URL),
		"a forged URL": g.download("admin", "GET", forged), "no query": g.download("admin", "GET", g.host+media.Path),
		"a long query": g.download("admin", "GET", d.URL+"&x="+strings.Repeat("x", 5000)),
	} {
		if r.status != 404 || r.body != "" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r := g.download("admin", "POST", d.URL); r.status != 405 {
		t.Errorf("POST: %d", r.status)
	}
	g.clock.Advance(5*time.Minute - time.Second)
	if r := g.download("admin", "GET", d.URL); r.status != 200 {
		t.Errorf("within five minutes: %d", r.status)
	}
	g.clock.Advance(time.Second)
	if r := g.download("admin", "GET", d.URL); r.status != 404 {
		t.Errorf("after five minutes: %d", r.status)
	}
	if r := g.download("admin", "GET", g.describe(d.ID).URL); r.status != 200 {
		t.Errorf("a new URL: %d", r.status)
	}
}

// Source: spec/media.md sections 3 and 15, spec/errors.md sections 6 and 19.
func TestUploadErrors(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	g.token("M", appA, adminA, scopeM)
	png := string(mediatest.PNG(4, 4))
	const types = "(#100) Param file must be a file with one of the following types: audio/aac, audio/mp4, audio/mpeg, audio/amr, audio/ogg, audio/opus, " +
		"application/vnd.ms-powerpoint, application/msword, application/vnd.openxmlformats-officedocument.wordprocessingml.document, " +
		"application/vnd.openxmlformats-officedocument.presentationml.presentation, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet, " +
		"application/pdf, text/plain, application/vnd.ms-excel, image/jpeg, image/png, image/webp, video/mp4, video/3gpp. Received file of type '"
	for _, c := range []struct {
		name, token, number string
		parts               []part
		status              int
		want                string
	}{
		{"no messaging_product", "admin", numLive, []part{file("image/png", png)}, 400, graphError("(#100) The parameter messaging_product is required.", `"code":100`)},
		{"another product", "admin", numLive, []part{{name: "messaging_product", body: "x"}, file("image/png", png)}, 400, graphError(`(#100) Param messaging_product must be one of {WHATSAPP} - got \"x\".`, `"code":100`)},
		{"no file", "admin", numLive, []part{product}, 400, graphError("(#100) The parameter file is required.", `"code":100`)},
		{"neither", "admin", numLive, []part{{name: "x", body: "y"}}, 400, graphError("(#100) The parameter messaging_product is required.", `"code":100`)},
		{"an empty file", "admin", numLive, []part{product, file("image/png", "")}, 400, graphError("(#100) The parameter file is required.", `"code":100`)},
		{"unsupported type", "admin", numLive, []part{product, file("application/octet-stream", png)}, 400, graphError(types+"application/octet-stream'.", `"code":100`)},
		{"no type at all", "admin", numLive, []part{product, file("", png)}, 400, graphError(types+"'.", `"code":100`)},
		{"type wins over the part's", "admin", numLive, []part{product, {name: "type", body: "image/gif"}, file("image/png", png)}, 400, graphError(types+"image/gif'.", `"code":100`)},
		{"type behind the file", "admin", numLive, []part{file("image/png", png), {name: "type", body: "image/gif"}, product}, 400, graphError(types+"image/gif'.", `"code":100`)},
		{"6 MB JPEG", "admin", numLive, []part{product, file("image/jpeg", string(mediatest.JPEG(6<<20)))}, 400, cloudError("(#100) Invalid parameter", "100", "The file is larger than the limit of 5242880 bytes for its type.")},
		{"6 MB JPEG, type first", "admin", numLive, []part{product, {name: "type", body: "image/jpeg"}, file("", string(mediatest.JPEG(6<<20)))}, 400, cloudError("(#100) Invalid parameter", "100", "The file is larger than the limit of 5242880 bytes for its type.")},
		{"static sticker of 101 KB", "admin", numLive, []part{product, file("image/webp", string(mediatest.WebP(512, 512, false, 101<<10)))}, 400, cloudError("(#100) Invalid parameter", "100", "The file is larger than the limit of 102400 bytes for its type.")},
		{"number not registered", "admin", numPending, []part{product, file("image/png", png)}, 400, cloudError("(#133010) Account not registered", "133010", "Account not registered")},
		{"number of another tenant", "admin", numB, []part{product, file("image/png", png)}, 400, missing("post", numB)},
		{"no such number", "admin", "999999999999999", []part{product, file("image/png", png)}, 400, missing("post", "999999999999999")},
		{"without the scope", "M", numLive, []part{product, file("image/png", png)}, 403, graphError("(#200) Requires whatsapp_business_messaging permission to manage the object", `"code":200`)},
		{"two files", "admin", numLive, []part{product, file("image/png", png), file("image/png", png)}, 400, graphError("(#100) A request must not have more than one file", `"code":100`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			g.form(c.token, "/v23.0/"+c.number+"/media", c.parts...).want(t, c.status, c.want)
		})
	}
	// Only files may be large: what is no form of parts would be kept in memory.
	for _, kind := range []string{"application/json", "application/x-www-form-urlencoded", "image/png"} {
		large := `{"messaging_product":"whatsapp","file":"` + strings.Repeat("x", 1<<20) + `"}`
		r := g.call("admin", "POST /v23.0/"+numLive+"/media", large, "Content-Type: "+kind)
		if r.status != 413 || !strings.Contains(r.body, "(#100) Request body is larger than 1048576 bytes") {
			t.Errorf("a large body of %s: %d %s", kind, r.status, r.body)
		}
	}
	if r := g.form("", "/v23.0/"+numLive+"/media", product, file("image/png", png)); r.status != 400 || !strings.Contains(r.body, `"code":104`) {
		t.Errorf("no token: %d %s", r.status, r.body)
	}
	// Part order, a missing type part, and a version of long ago make no difference.
	for name, r := range map[string]reply{
		"file first":         g.form("admin", "/v23.0/"+numLive+"/media/", file("image/png", png), product),
		"no type part":       g.form("admin", "/v13.0/"+numLive+"/media", product, file("image/png", png)),
		"type part alone":    g.form("admin", "/"+numLive+"/media", product, part{name: "type", body: "image/png"}, file("", png)),
		"20 MB PDF":          g.form("admin", "/v23.0/"+numLive+"/media", product, file("application/pdf", string(mediatest.PDF(20<<20)))),
		"type with a suffix": g.form("admin", "/v23.0/"+numLive+"/media", product, part{name: "type", body: "audio/ogg; codecs=opus"}, file("", string(mediatest.Ogg(1)))),
	} {
		if r.status != 200 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
}

// Source: spec/media.md section 18, row 12, and section 20.5; spec/graph.md section 14.
func TestResumableUpload(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	content := mediatest.JPEG(200_000)
	create := g.call("admin", "POST /v23.0/"+appA+"/uploads?file_name=sample.jpg&file_length=200000&file_type=image/jpeg", "")
	var session struct {
		ID     string
		Offset int64 `json:"file_offset"`
		H      string
	}
	if err := json.Unmarshal([]byte(create.body), &session); err != nil || !strings.HasPrefix(session.ID, "upload:MTphdHRhY2htZW50O") || !strings.Contains(session.ID, "?sig=AR") {
		t.Fatalf("create: %d %s", create.status, create.body)
	}
	oauth := "Authorization: OAuth " + g.tokens["admin"]
	step := func(line, body string, headers ...string) reply {
		t.Helper()
		session.Offset, session.H = -1, ""
		r := g.call("", line, body, append(headers, "Content-Type: application/x-www-form-urlencoded", oauth)...)
		_ = json.Unmarshal([]byte(r.body), &session)
		return r
	}
	id := session.ID
	if r := step("POST /v23.0/"+id, string(content[:131072]), "file_offset: 0"); r.status != 200 {
		t.Fatalf("first part: %d %s", r.status, r.body)
	}
	for _, path := range []string{"/v23.0/" + id, "/" + id, "/v23.0/" + strings.Replace(id, ":", "%3A", 1)} {
		if r := step("GET "+path, ""); r.status != 200 || session.Offset != 131072 || session.ID != id {
			t.Errorf("resume at %s: %d %s", path, r.status, r.body)
		}
	}
	for _, c := range []struct{ name, path, offset, want string }{
		{"no offset", id, "", "(#100) The parameter file_offset is required."},
		{"offset is no number", id, "x", "(#100) Param file_offset must be an integer."},
		{"wrong offset", id, "0", "(#100) OffsetInvalidError: the upload goes on at offset 131072"},
	} {
		var h []string
		if c.offset != "" {
			h = []string{"file_offset: " + c.offset}
		}
		step("POST /v23.0/"+c.path, "x", h...).want(t, 400, graphError(c.want, `"code":100`))
	}
	bare, _, _ := strings.Cut(id, "?")
	step("GET /v23.0/"+bare, "").want(t, 400, missing("get", bare))
	if r := g.call("birch", "GET /v23.0/"+id, ""); r.status != 400 || r.body != missing("get", bare) {
		t.Errorf("another app: %d %s", r.status, r.body)
	}
	if r := step("POST /v23.0/"+id, string(content[131072:]), "file_offset: 131072"); r.status != 200 || !strings.HasPrefix(session.H, "4::aW1hZ2UvanBlZw==:AR") {
		t.Fatalf("last part: %d %s", r.status, r.body)
	}
	m, err := g.media.Handle(t.Context(), session.H)
	if err != nil || m.App != appA || m.User != adminA || m.Size != 200_000 || m.Name != "sample.jpg" {
		t.Errorf("%+v, %v", m, err)
	}
	step("GET /v23.0/"+id, "").want(t, 400, missing("get", bare))
}

// Some clients send the file of a resumable upload as a form. Source: spec/media.md section 12.2.
func TestResumableUploadOfAForm(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	content := string(mediatest.PNG(8, 8))
	var session struct{ ID, H string }
	create := g.call("admin", "POST /v23.0/"+appA+"/uploads?file_length="+strconv.Itoa(len(content))+"&file_type=image/png", "")
	if err := json.Unmarshal([]byte(create.body), &session); err != nil {
		t.Fatal(create.body)
	}
	send := func(parts ...part) reply {
		return g.call("admin", "POST /v23.0/"+session.ID, formOf(t, parts...), "file_offset: 0", "Content-Type: multipart/form-data; boundary="+boundary)
	}
	send(part{name: "type", body: "image/png"}).want(t, 400, graphError("(#100) The parameter file is required.", `"code":100`))
	g.call("admin", "POST /v23.0/"+session.ID, "--b\r\nContent-Disp", "file_offset: 0", "Content-Type: multipart/form-data; boundary=b").
		want(t, 400, graphError("(#100) Request body is not valid multipart/form-data", `"code":100`))
	r := send(part{name: "type", body: "image/png"}, file("image/png", content))
	if err := json.Unmarshal([]byte(r.body), &session); err != nil || session.H == "" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if m, err := g.media.Handle(t.Context(), session.H); err != nil || m.Size != int64(len(content)) {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestUploadSessionErrors(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	post := func(token, app, query string) reply { return g.call(token, "POST /v23.0/"+app+"/uploads?"+query, "") }
	post("admin", appA, "file_type=image/png").want(t, 400, graphError("(#100) The parameter file_length is required.", `"code":100`))
	post("admin", appA, "file_length=1").want(t, 400, graphError("(#100) The parameter file_type is required.", `"code":100`))
	post("admin", appA, "file_length=0&file_type=image/png").want(t, 400, graphError("(#100) Param file_length must be between 1 and 104857600.", `"code":100`))
	post("admin", appA, "file_length=1&file_type=image/gif").want(t, 400, graphError(`(#100) Param file_type must be one of {application/pdf, image/jpeg, image/jpg, image/png, video/mp4} - got \"image/gif\".`, `"code":100`))
	post("admin", appPartner, "file_length=1&file_type=image/png").want(t, 400, missing("post", appPartner))
	post("admin", appB, "file_length=1&file_type=image/png").want(t, 400, missing("post", appB))
	g.token("nothing", appA, adminA)
	for name, r := range map[string]reply{
		"no permission is needed": post("nothing", appA, "file_length=1&file_type=image/jpg&session_type=attachment"),
		"in the body":             g.call("admin", "POST /"+appA+"/uploads", `{"file_length":482113,"file_type":"application/pdf","file_name":"menu.pdf"}`),
		"by alias":                post("admin", "app", "file_length=1&file_type=video/mp4"),
	} {
		if r.status != 200 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
}

func FuzzDownload(f *testing.F) {
	f.Add("mid=1846720391557204&ext=1783065960&hash=ARk3vQ9bL2xPz7", "bytes=0-1,3-4")
	f.Add("mid=h&ext=-1&source=%00", "bytes=-")
	w := newWorld(f, nil)
	blobs, err := media.OpenDir(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	m, err := media.New(media.Options{Store: mediatest.NewStore(), Blobs: blobs, Vault: mediaSealer{}, Clock: w.clock})
	if err != nil {
		f.Fatal(err)
	}
	d := api.NewDownload(api.DownloadOptions{Access: w.access, Business: w.business, Media: m})
	f.Fuzz(func(t *testing.T, query, ranges string) {
		r := httptest.NewRequest(http.MethodGet, media.Path, nil)
		r.URL = &url.URL{Path: media.Path, RawQuery: query}
		r.Header.Set("Authorization", "Bearer "+w.tokens["admin"])
		r.Header.Set("Range", ranges)
		rec := httptest.NewRecorder()
		d.ServeHTTP(rec, r)
		if rec.Code != http.StatusNotFound {
			t.Errorf("%d for %q", rec.Code, query)
		}
	})
}
