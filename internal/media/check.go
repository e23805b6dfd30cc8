package media

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // dimensions
	_ "image/png"
	"strings"

	"github.com/gabriel-vasile/mimetype"
	_ "golang.org/x/image/webp"
)

// headSize is how much of a file its type and dimensions are read from, in bytes: what a camera writes in front of the
// first frame of a JPEG is well below.
const headSize = 256 << 10

// Look is what the first bytes of a file tell.
type Look struct {
	MIME          string // what the bytes are; application/octet-stream when nothing is known
	Width, Height int    // of images and stickers; 0 when unknown
	Animated      bool   // sticker
	Opus, Mono    bool   // Ogg
	film          film   // of videos
	deep          bool   // more than 8 bits per channel, or colours that are no RGB
	tree          *mimetype.MIME
}

// look reads the beginning of a file.
func look(head []byte) Look {
	l := Look{tree: mimetype.Detect(head[:min(len(head), headSize)])}
	l.MIME = Bare(l.tree.String())
	switch {
	case l.tree.Is("image/jpeg"), l.tree.Is("image/png"), l.tree.Is("image/webp"):
		c, _, err := image.DecodeConfig(bytes.NewReader(head))
		if err == nil {
			l.Width, l.Height = c.Width, c.Height
			l.deep = deep(c.ColorModel)
		}
		l.Animated = animated(head)
	case bytes.HasPrefix(head, []byte("OggS")):
		l.MIME = "audio/ogg"
		l.Opus, l.Mono = opus(head)
	}
	return l
}

func deep(m color.Model) bool {
	switch m {
	case color.CMYKModel, color.RGBA64Model, color.NRGBA64Model, color.Gray16Model:
		return true
	}
	return false
}

// animated reads the flag of an extended WebP header: RIFF, size, WEBP, VP8X, size, flags.
func animated(head []byte) bool {
	return len(head) > 20 && string(head[:4]) == "RIFF" && string(head[8:16]) == "WEBPVP8X" && head[20]&0x02 != 0
}

// opus reads the first packet of an Ogg stream: page header of 27 bytes, segment table, "OpusHead", version, channels.
func opus(head []byte) (is, mono bool) {
	if len(head) < 27 {
		return false, false
	}
	p := head[min(len(head), 27+int(head[26])):]
	if len(p) < 10 || string(p[:8]) != "OpusHead" {
		return false, false
	}
	return true, p[9] == 1
}

// aliases are further types that the bytes of a declared type may look like: containers do not say what they hold.
var aliases = map[string][]string{
	"audio/mp4":                     {"audio/mp4", "audio/x-m4a", "video/mp4", "video/quicktime"},
	"audio/aac":                     {"audio/aac"},
	"audio/amr":                     {"audio/amr", "audio/amr-nb"},
	"audio/ogg":                     {"application/ogg", "audio/ogg"},
	"audio/opus":                    {"application/ogg", "audio/ogg"},
	"video/mp4":                     {"video/mp4", "audio/mp4", "video/x-m4v", "video/quicktime"},
	"video/3gpp":                    {"video/3gpp", "video/3gpp2", "audio/3gpp", "video/mp4"},
	"text/plain":                    {"text/plain"},
	"application/msword":            {"application/msword", "application/x-ole-storage"},
	"application/vnd.ms-excel":      {"application/vnd.ms-excel", "application/x-ole-storage"},
	"application/vnd.ms-powerpoint": {"application/vnd.ms-powerpoint", "application/x-ole-storage"},
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   {"application/zip"},
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         {"application/zip"},
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": {"application/zip"},
}

// is reports whether the bytes may be of a declared type.
func (l *Look) is(bare string) bool {
	if l.MIME == bare {
		return true
	}
	for _, a := range aliases[bare] {
		for m := l.tree; m != nil; m = m.Parent() { // a spreadsheet is a zip file, and HTML is text
			if m.Is(a) {
				return true
			}
		}
	}
	return false
}

// fault says why a file cannot be sent, in the words of error_data.details for 131053; "" when it can. Source: spec/media.md
// section 2, spec/errors.md section 8.
func (l *Look) fault(declared string, size int64) string {
	bare := Bare(declared)
	kind := kinds[bare]
	switch {
	case kind == "":
		return ""
	case !l.is(bare), kind == Audio && l.MIME == "audio/ogg" && (!l.Opus || !l.Mono):
		return mismatch(kind, declared, l.describe())
	case kind == Video && !l.film.plays():
		return mismatch(kind, declared, l.MIME+l.film.describe())
	case kind == Image && (l.Width == 0 || l.deep):
		return "Image is invalid. Please check the image properties, supported are JPG/JPEG, RGB/RGBA, 8 bit/channels and PNG, RGB/RGBA, up to 8 bit/channel."
	case kind == Sticker && (l.Width != stickerSide || l.Height != stickerSide):
		return fmt.Sprintf("Sticker is invalid. Its size is %d x %d pixels, supported is %d x %d.", l.Width, l.Height, stickerSide, stickerSide)
	case kind == Sticker && !l.Animated && size > maxSticker:
		return fmt.Sprintf("Sticker is invalid. A static sticker may have %d bytes, this one has %d.", maxSticker, size)
	}
	return ""
}

// stickerSide is the width and height of a sticker in pixels. Source: spec/media.md section 2.
const stickerSide = 512

func (l *Look) describe() string {
	if l.MIME != "audio/ogg" {
		return l.MIME
	}
	switch {
	case !l.Opus:
		return "audio/ogg, audioCodec=unknown"
	case !l.Mono:
		return "audio/ogg, audioCodec=opus, channels=2"
	}
	return "audio/ogg; codecs=opus"
}

func mismatch(kind, declared, found string) string {
	return fmt.Sprintf("%s%s file uploaded with mimetype as %s, however on processing it is of type %s. Please choose a different file.",
		strings.ToUpper(kind[:1]), kind[1:], declared, found)
}
