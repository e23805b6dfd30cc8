package virtual

import (
	"embed"

	"github.com/hikyaku/hikyaku/device"
)

//go:embed sample
var sampleFiles embed.FS

// Sample is a tiny file of a kind, for users that send something and do not care what: a picture, a video without tracks, a
// fifth of a second of silence (Opus in Ogg), a page of PDF, a sticker of 512 × 512. ok is false for another kind.
func Sample(kind string) (a device.Attachment, ok bool) {
	s, ok := map[string]struct{ name, mime string }{
		"image": {"image.jpg", "image/jpeg"}, "video": {"video.mp4", "video/mp4"}, "audio": {"audio.ogg", "audio/ogg; codecs=opus"},
		"document": {"document.pdf", "application/pdf"}, "sticker": {"sticker.webp", "image/webp"},
	}[kind]
	if !ok {
		return device.Attachment{}, false
	}
	data, err := sampleFiles.ReadFile("sample/" + s.name)
	if err != nil {
		panic("virtual: a sample is missing: " + err.Error())
	}
	a = device.Attachment{Media: device.Media{Kind: kind, MIME: s.mime}, Data: data}
	if kind == "document" {
		a.Filename = s.name
	}
	return a, true
}
