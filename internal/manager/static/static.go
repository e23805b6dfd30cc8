package static

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed css/*.css js/*.js icons/*.svg fonts/*.woff2 licences/*.txt mark.svg vendor.json
var files embed.FS

// Root is where the assets are served.
const Root = "/static/"

type asset struct {
	plain, gz   []byte
	contentType string
}

// assets are what a browser may ask for, by path; version is the hash over all of them. One hash for all keeps relative addresses in
// styles and modules true.
var assets, version = build()

// sheets are the styles in the order of their layers: one file for the browser.
var sheets = []string{"tokens.css", "base.css", "kit.css", "frame.css", "pages.css"}

// URL is the address of an asset, such as "app.css", "icons.svg" or "js/app.js".
func URL(name string) string { return Root + version + "/" + name }

// Icon is the address of an icon of the sprite.
func Icon(name string) string { return URL("icons.svg") + "#" + name }

// Handler serves the assets of this version under [Root]. What another version had is not found.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := strings.CutPrefix(r.URL.Path, Root+version+"/")
		a, found := assets[name]
		if !ok || !found {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.contentType)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Vary", "Accept-Encoding")
		body := a.plain
		if a.gz != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			body = a.gz
			h.Set("Content-Encoding", "gzip")
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Method == http.MethodHead {
			return
		}
		_, _ = w.Write(body) // the browser may have gone
	})
}

func build() (all map[string]asset, version string) {
	all = map[string]asset{
		"app.css":   text("text/css; charset=utf-8", styles()),
		"icons.svg": text("image/svg+xml", sprite()),
		"mark.svg":  text("image/svg+xml", read("mark.svg")),
	}
	for _, name := range glob("js/*.js") {
		all[name] = text("text/javascript; charset=utf-8", read(name))
	}
	for _, name := range glob("fonts/*.woff2") {
		all[name] = asset{plain: read(name), contentType: "font/woff2"}
	}
	for _, name := range glob("licences/*.txt") {
		all[name] = text("text/plain; charset=utf-8", read(name))
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.SortFunc(names, cmp.Compare)
	sum := sha256.New()
	for _, name := range names {
		sum.Write([]byte(name + "\x00" + strconv.Itoa(len(all[name].plain)) + "\x00"))
		sum.Write(all[name].plain)
	}
	return all, hex.EncodeToString(sum.Sum(nil))[:16]
}

func text(contentType string, plain []byte) asset {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	_, _ = z.Write(plain) // a buffer takes everything
	_ = z.Close()
	return asset{plain: plain, gz: b.Bytes(), contentType: contentType}
}

func styles() []byte {
	var b bytes.Buffer
	b.WriteString("@layer tokens, base, kit, frame, pages;\n")
	for _, name := range sheets {
		b.WriteString("@layer " + strings.TrimSuffix(name, ".css") + " {\n")
		b.Write(read("css/" + name))
		b.WriteString("}\n")
	}
	return b.Bytes()
}

// sprite makes one picture of all icons: each a symbol named like its file.
func sprite() []byte {
	var b bytes.Buffer
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg">`)
	for _, name := range glob("icons/*.svg") {
		_, shape, _ := bytes.Cut(read(name), []byte("<svg"))
		_, shape, _ = bytes.Cut(shape, []byte(">"))
		shape, _, _ = bytes.Cut(shape, []byte("</svg>"))
		b.WriteString(`<symbol id="` + strings.TrimSuffix(path.Base(name), ".svg") +
			`" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">`)
		b.WriteString(strings.Join(strings.Fields(string(shape)), " "))
		b.WriteString("</symbol>\n")
	}
	b.WriteString("</svg>")
	return b.Bytes()
}

func read(name string) []byte {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // embedded
	}
	return b
}

func glob(pattern string) []string {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		panic(err) // the patterns are ours
	}
	return names
}
