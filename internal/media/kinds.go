package media

import (
	"mime"
	"strings"
)

// The kinds of media, as messages name them.
const (
	Audio    = "audio"
	Document = "document"
	Image    = "image"
	Sticker  = "sticker"
	Video    = "video"
)

// What some headers take is less than a kind. Source: spec/media.md section 21.
const (
	GIF = "gif" // an MP4, shown without controls
	PDF = "pdf" // a document that is a PDF
)

// Sizes in bytes: 1 MB is 1,048,576 bytes. Source: spec/media.md section 2.
const (
	MaxSize       = 100 << 20 // of any file
	maxImage      = 5 << 20
	maxAudioVideo = 16 << 20
	maxSticker    = 100 << 10
	maxAnimated   = 500 << 10
)

// kinds says what a type is good for. Source: spec/media.md section 2; audio/opus is in the list of the error alone.
var kinds = map[string]string{
	"audio/aac": Audio, "audio/amr": Audio, "audio/mpeg": Audio, "audio/mp4": Audio, "audio/ogg": Audio, "audio/opus": Audio,
	"text/plain": Document, "application/pdf": Document, "application/msword": Document, "application/vnd.ms-excel": Document,
	"application/vnd.ms-powerpoint":                                             Document,
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   Document,
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         Document,
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": Document,
	"image/jpeg": Image, "image/png": Image, "image/webp": Sticker, "video/3gpp": Video, "video/mp4": Video,
}

// serves reports whether files of a type are what a place in a message takes: one of the constants above.
func serves(bare, place string) bool {
	switch place {
	case GIF:
		return bare == "video/mp4"
	case PDF:
		return bare == "application/pdf"
	}
	return kinds[bare] == place
}

// kindOf is the kind of which a place takes files.
func kindOf(place string) string {
	switch place {
	case GIF:
		return Video
	case PDF:
		return Document
	}
	return place
}

// Bare is a MIME type without its parameters, in lower case; "" for what is none.
func Bare(t string) string {
	b, _, err := mime.ParseMediaType(t)
	if err != nil && b == "" || !strings.Contains(b, "/") {
		return ""
	}
	return b
}

// Limit is the most bytes a file of a type may have. Animated stickers may be larger than others, which only shows when
// they were read.
func Limit(bare string) int64 {
	switch kinds[bare] {
	case Image:
		return maxImage
	case Audio, Video:
		return maxAudioVideo
	case Sticker:
		return maxAnimated
	}
	return MaxSize
}

// Supported reports whether files of a type can be uploaded.
func Supported(bare string) bool { return kinds[bare] != "" }

// extensions are those of the names that downloads get.
var extensions = map[string]string{
	"audio/aac": ".aac", "audio/amr": ".amr", "audio/mpeg": ".mp3", "audio/mp4": ".m4a", "audio/ogg": ".ogg", "audio/opus": ".ogg",
	"text/plain": ".txt", "application/pdf": ".pdf", "application/msword": ".doc", "application/vnd.ms-excel": ".xls",
	"application/vnd.ms-powerpoint":                                             ".ppt",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   ".docx",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         ".xlsx",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
	"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "video/3gpp": ".3gp", "video/mp4": ".mp4",
}

// Extension is the usual ending of names of files of a type, with its dot; ".bin" when there is none.
func Extension(bare string) string {
	if e := extensions[bare]; e != "" {
		return e
	}
	return ".bin"
}
