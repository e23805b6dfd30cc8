package message

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// maxFlowFiles is how many files the answer to a flow brings. Source: Flow JSON reference, "Media upload".
const maxFlowFiles = 10

// flowAnswer is the answer to a flow as a device sends it: what the flow ended with, and beside it the files that belong under
// members of that.
type flowAnswer struct {
	Type        string `json:"type"`
	Interactive struct {
		Type string `json:"type"`
		Form struct {
			Name     string `json:"name"`
			Body     string `json:"body"`
			Response string `json:"response_json"`
		} `json:"nfm_reply"`
	} `json:"interactive"`
	Files map[string][]struct {
		Name string          `json:"file_name"`
		MIME string          `json:"mime_type"`
		Blob json.RawMessage `json:"blob"`
	} `json:"files"`
}

// flowFiles finds the files of the answer to a flow. Such a message is rare, so it may be read with reflection.
func flowFiles(body []byte) (list []File) {
	var a flowAnswer
	if json.Unmarshal(body, &a) != nil || a.Type != TypeInteractive || a.Interactive.Type != "nfm_reply" {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(a.Files)) {
		for _, f := range a.Files[key] {
			if len(list) == maxFlowFiles {
				return list
			}
			list = append(list, File{Kind: TypeDocument, MIME: f.MIME, Blob: f.Blob, key: key, name: f.Name})
		}
	}
	return list
}

// flowMedia is a file in response_json. Source: spec/media.md section 14.
type flowMedia struct {
	Name   string `json:"file_name"`
	MIME   string `json:"mime_type"`
	SHA256 string `json:"sha256"`
	ID     string `json:"id"`
}

// replaceFlowFiles puts the files into the answer to a flow. A body whose parts do not fit together stays as it is: the
// business is told that something unsupported came.
func replaceFlowFiles(body []byte, files []File, described [][]byte) []byte {
	var whole map[string]json.RawMessage
	var a flowAnswer
	var response map[string]json.RawMessage
	if json.Unmarshal(body, &whole) != nil || json.Unmarshal(body, &a) != nil ||
		json.Unmarshal([]byte(a.Interactive.Form.Response), &response) != nil || response == nil {
		return body
	}
	media := map[string][]flowMedia{}
	for i := range files {
		f := &files[i]
		list := media[f.key]
		if list == nil {
			list = []flowMedia{}
		}
		var m flowMedia
		if d := described[i]; len(d) > 0 && json.Unmarshal(slices.Concat([]byte{'{'}, d, []byte{'}'}), &m) == nil {
			m.Name = clipName(f.name)
			list = append(list, m)
		}
		media[f.key] = list
	}
	for key, list := range media {
		response[key] = marshal(list)
	}
	form := map[string]any{"name": a.Interactive.Form.Name, "body": a.Interactive.Form.Body, "response_json": string(marshal(response))}
	whole["interactive"] = marshal(map[string]any{"type": "nfm_reply", "nfm_reply": form})
	delete(whole, "files")
	return marshal(whole)
}

// marshal writes what was read from JSON, or strings, as phones write it: nothing is escaped that need not be.
func marshal(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return json.RawMessage("null") // it was read from JSON
	}
	return bytes.TrimSpace(b.Bytes())
}

// clipName bounds the name of a file.
func clipName(s string) string {
	for i := range s {
		if i > maxLine {
			return s[:i]
		}
	}
	return s
}
