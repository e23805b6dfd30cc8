package media

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/abema/go-mp4"
)

// maxMovie bounds what describes the tracks of a video, in bytes. Videos that say more about themselves are not looked into.
const maxMovie = 2 << 20

// film is what the tracks of an MP4 or 3GPP file are. Source: spec/media.md section 2.
type film struct {
	known  bool // the file says it
	video  string
	audio  string
	audios int
}

// codecs are the names of sample entries in the words of errors.
var codecs = map[string]string{
	"avc1": "h264", "avc2": "h264", "avc3": "h264", "avc4": "h264", "hev1": "hevc", "hvc1": "hevc", "mp4v": "mpeg4", "s263": "h263",
	"vp08": "vp8", "vp09": "vp9", "av01": "av1", "mp4a": "aac", "samr": "amr", "sawb": "amr", "ac-3": "ac3", "Opus": "opus",
}

// plays reports whether devices show it: H.264, with AAC in one stream or without sound.
func (f *film) plays() bool {
	return !f.known || f.video == "h264" && f.audios <= 1 && (f.audios == 0 || f.audio == "aac")
}

// describe names the codecs.
func (f *film) describe() string {
	s := ", videoCodec=" + f.video
	switch {
	case f.audios > 1:
		return s + fmt.Sprintf(", audioStreams=%d", f.audios)
	case f.audios == 1:
		s += ", audioCodec=" + f.audio
	}
	return s
}

// reel finds the box that describes the tracks of a file while the file passes by: it may be at the very end.
type reel struct {
	head  []byte // of the box at hand, until its size is known
	skip  int64  // bytes of a box that nobody needs
	movie []byte
	want  int  // of movie
	begun bool // the first box is that of such a file
	over  bool
}

// Write implements io.Writer. It never fails.
func (r *reel) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0 && !r.over; {
		switch {
		case r.skip > 0:
			n := min(r.skip, int64(len(rest)))
			r.skip -= n
			rest = rest[n:]
		case r.want > 0:
			n := min(r.want-len(r.movie), len(rest))
			r.movie = append(r.movie, rest[:n]...)
			rest = rest[n:]
			r.over = len(r.movie) == r.want
		default:
			r.head = append(r.head, rest[0])
			rest = rest[1:]
			r.begin()
		}
	}
	return len(p), nil
}

// begin looks at the head of a box: size, name, and for a size of 1 another size of 8 bytes.
func (r *reel) begin() {
	if len(r.head) < 8 || len(r.head) < 16 && binary.BigEndian.Uint32(r.head) == 1 {
		return
	}
	size := int64(binary.BigEndian.Uint32(r.head))
	if len(r.head) == 16 {
		size = int64(binary.BigEndian.Uint64(r.head[8:]))
	}
	rest := size - int64(len(r.head))
	switch name := string(r.head[4:8]); {
	case !r.begun && name != "ftyp":
		r.over = true
	case rest < 0: // the last box, without a size, or none at all
		r.over = true
	case name == "moov" && size <= maxMovie:
		r.movie, r.want = r.head, int(size)
		r.over = rest == 0
	case name == "moov":
		r.over = true
	default:
		r.skip = rest
	}
	r.head, r.begun = nil, true
}

// film reads the tracks that were found. What cannot be read is not known.
func (r *reel) film() film {
	if r.want == 0 || len(r.movie) < r.want {
		return film{}
	}
	f := film{video: "unknown", audio: "unknown"}
	var handler string // of the track at hand
	var entries []string
	_, err := mp4.ReadBoxStructure(bytes.NewReader(r.movie), func(h *mp4.ReadHandle) (any, error) {
		if n := len(h.Path); n > 1 && h.Path[n-2] == mp4.BoxTypeStsd() {
			entries = append(entries, h.BoxInfo.Type.String())
			return nil, nil
		}
		switch h.BoxInfo.Type {
		case mp4.BoxTypeTrak():
			handler, entries = "", nil
			_, err := h.Expand()
			f.add(handler, entries)
			return nil, err
		case mp4.BoxTypeMoov(), mp4.BoxTypeMdia(), mp4.BoxTypeMinf(), mp4.BoxTypeStbl(), mp4.BoxTypeStsd():
			return h.Expand()
		case mp4.BoxTypeHdlr():
			if len(h.Path) != 4 { // moov, trak, mdia and itself: others have handlers, too
				return nil, nil
			}
			box, _, err := h.ReadPayload()
			if b, ok := box.(*mp4.Hdlr); ok {
				handler = string(b.HandlerType[:])
			}
			return nil, err
		}
		return nil, nil
	})
	f.known = err == nil
	return f
}

// add takes a track over: what handles it, and the names of its sample entries.
func (f *film) add(handler string, entries []string) {
	name := "unknown"
	for _, e := range entries {
		if name = codecs[e]; name == "" {
			name = "unknown"
			break
		}
	}
	switch handler {
	case "vide":
		f.video = name
	case "soun":
		f.audio = name
		f.audios++
	}
}
