package mediatest

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
)

// PNG is a picture of one colour.
func PNG(width, height int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, picture(width, height)); err != nil {
		panic(err) // into memory
	}
	return b.Bytes()
}

// PNG16 is a picture with 16 bits per channel.
func PNG16() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA64(image.Rect(0, 0, 4, 4))); err != nil {
		panic(err) // into memory
	}
	return b.Bytes()
}

// JPEG is a picture, with bytes behind it that fill it up to size.
func JPEG(size int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(64, 48), nil); err != nil {
		panic(err) // into memory
	}
	return append(b.Bytes(), make([]byte, max(0, size-b.Len()))...)
}

func picture(width, height int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		m.Set(x, x%height, color.NRGBA{200, uint8(x), 40, 255})
	}
	return m
}

// WebP is the header of a sticker, with zeros behind it that fill it up to size.
func WebP(width, height int, animated bool, size int) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x10\x00\x00\x00")
	if animated {
		b[20] |= 0x02
	}
	for _, n := range []int{width - 1, height - 1} {
		b = append(b, byte(n), byte(n>>8), byte(n>>16))
	}
	b = append(b, make([]byte, max(0, size-len(b)))...)
	n := len(b) - 8
	b[4], b[5], b[6], b[7] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
	return b
}

// Ogg is the first page of a stream: with Opus and that many channels, or with Vorbis when there are none.
func Ogg(channels byte) []byte {
	packet := []byte("OpusHead\x01" + string(channels) + "\x38\x01\x80\xbb\x00\x00\x00\x00\x00")
	if channels == 0 {
		packet = []byte("\x01vorbis\x00\x00\x00\x00\x02\x44\xac\x00\x00\x00\x00\x00\x00\x00\xee\x02\x00\x00\x00\x00\x00\xb8\x01")
	}
	b := []byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04\x00\x00\x00\x00\x05\x06\x07\x08\x01")
	return append(append(b, byte(len(packet))), packet...)
}

// MP4 is the beginning of a video.
func MP4() []byte {
	return append([]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"), make([]byte, 100)...)
}

// Film is a video whose description comes last, with a track for each sample entry that is named: one of pictures, unless it
// is empty, and some of sound.
func Film(picture string, sounds ...string) []byte {
	tracks := [][]byte{box("mvhd", make([]byte, 100))}
	if picture != "" {
		tracks = append(tracks, track("vide", picture))
	}
	for _, s := range sounds {
		tracks = append(tracks, track("soun", s))
	}
	b := append(MP4()[:24], box("mdat", make([]byte, 1000))...)
	return append(b, box("moov", tracks...)...)
}

func track(handler, entry string) []byte {
	hdlr := append(append(make([]byte, 8), handler...), make([]byte, 13)...)
	stsd := append([]byte{0, 0, 0, 0, 0, 0, 0, 1}, box(entry, make([]byte, 78))...)
	return box("trak", box("tkhd", make([]byte, 84)), box("mdia", box("hdlr", hdlr), box("minf", box("stbl", box("stsd", stsd)))))
}

func box(name string, content ...[]byte) []byte {
	inside := bytes.Join(content, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(inside))), name...), inside...)
}

// PDF is the beginning and the end of a document, with a comment between that fills it up to size.
func PDF(size int) []byte {
	b := []byte("%PDF-1.7\n%")
	b = append(b, bytes.Repeat([]byte("x"), max(0, size-len(b)-7))...)
	return append(b, "\n%%EOF\n"...)
}
