package message

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// File is the media object of a device's message, as the device describes it. Source: design "The user network", section 10.
type File struct {
	Kind string // TypeImage, TypeVideo, TypeAudio, TypeDocument or TypeSticker
	MIME string
	Blob []byte // JSON: where the encrypted file is and how it is opened; part of the body

	key, name string // of a file in the answer to a flow: the member of response_json it is listed under, and its name
}

// FilesOf finds the files of a device's message: one of media, several of the answer to a flow. body is [Inbound.Body].
func FilesOf(body []byte) []File {
	if !bytes.Contains(body, []byte(`"blob"`)) {
		return nil // nearly all messages
	}
	if f, ok := FileOf(body); ok {
		return []File{f}
	}
	return flowFiles(body)
}

// ReplaceFiles is [ReplaceFile] for what FilesOf found; described has the members of each. Files of a flow come into its
// response_json; those without members are left out there.
func ReplaceFiles(body []byte, files []File, described [][]byte) []byte {
	if len(files) == 1 && files[0].key == "" {
		return ReplaceFile(body, files[0].Kind, described[0])
	}
	return replaceFlowFiles(body, files, described)
}

// FileOf finds the file of a device's message; false when it has none. body is [Inbound.Body].
func FileOf(body []byte) (f File, ok bool) {
	r := jsonReader(body)
	defer r.release()
	var objects [5][]byte
	good := members(r, func(name []byte) bool {
		if string(name) == `"type"` {
			return stringMember(r, func(raw []byte) { f.Kind = kindOf(raw) })
		}
		if i := fileKind(name); i >= 0 {
			v, err := r.value()
			objects[i] = v
			return err == nil
		}
		return skip(r)
	})
	i := fileKind([]byte(`"` + f.Kind + `"`))
	if !good || i < 0 || len(objects[i]) == 0 || objects[i][0] != '{' {
		return File{}, false
	}
	o := jsonReader(objects[i])
	defer o.release()
	good = members(o, func(name []byte) bool {
		switch string(name) {
		case `"mime_type"`:
			return stringMember(o, func(raw []byte) {
				if s, err := jsontext.AppendUnquote(nil, raw); err == nil {
					f.MIME = string(s)
				}
			})
		case `"blob"`:
			v, err := o.value()
			f.Blob = v
			return err == nil
		}
		return skip(o)
	})
	return f, good && len(f.Blob) > 0
}

var fileKinds = [...]string{TypeAudio, TypeDocument, TypeImage, TypeSticker, TypeVideo}

// fileKind is the place of a quoted name in fileKinds; -1 when it is none.
func fileKind(name []byte) int {
	for i, k := range fileKinds {
		if len(name) == len(k)+2 && string(name[1:len(name)-1]) == k {
			return i
		}
	}
	return -1
}

// described are the members of a media object that the platform writes itself.
var described = map[string]bool{
	`"blob"`: true, `"id"`: true, `"mime_type"`: true, `"sha256"`: true, `"size"`: true, `"url"`: true, `"width"`: true, `"height"`: true,
}

// ReplaceFile returns the body of a device's message of that kind with the file described by members, the inside of a JSON
// object, instead of what the device said about it; what it says about the message stays, such as a caption. Without members
// the file counts as one that could not be fetched.
func ReplaceFile(body []byte, kind string, description []byte) []byte {
	r := jsonReader(body)
	defer r.release()
	out := append(make([]byte, 0, len(body)+len(description)), '{')
	members(r, func(name []byte) bool {
		v, err := r.value()
		if err != nil {
			return false
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(out, name...), ':')
		if string(name[1:len(name)-1]) == kind && len(v) > 0 && v[0] == '{' {
			out = replaceObject(out, v, description)
		} else {
			out = append(out, v...)
		}
		return true
	})
	return append(out, '}')
}

func replaceObject(out, object, description []byte) []byte {
	r := jsonReader(object)
	defer r.release()
	out = append(out, '{')
	first := len(out)
	out = append(out, description...)
	members(r, func(name []byte) bool {
		v, err := r.value()
		if err != nil {
			return false
		}
		if described[string(name)] {
			return true
		}
		if len(out) > first {
			out = append(out, ',')
		}
		out = append(append(append(out, name...), ':'), v...)
		return true
	})
	return append(out, '}')
}

// WithoutFile returns a message that has no file to be taken over: whatever it says about one, an id among it, is the device's
// word alone, and counts as a file that could not be fetched.
func (in Inbound) WithoutFile() Inbound {
	if fileKind([]byte(`"`+in.Type+`"`)) >= 0 {
		in.Body = ReplaceFile(in.Body, in.Type, nil)
	}
	return in
}

// jsonReader takes a reader of body out of the pool.
func jsonReader(body []byte) *reader {
	r := readers.Get().(*reader) //nolint:forcetypeassert // the pool holds nothing else
	r.body = body
	r.Reset(bytes.NewBuffer(body)) // read in place
	return r
}

// release lets go of the body.
func (r *reader) release() {
	r.body = nil
	r.Reset(emptyReader{})
	readers.Put(r)
}
