package contract

import "github.com/hikyaku/hikyaku/internal/wa"

var onNumber = []Member{may("phone_number_id", anyID, "The number it must have been uploaded on.")}

var mediaCalls = map[string]Words{
	"POST phone_number/media": {
		Does: "Uploads a file that messages can name.", Form: true,
		Params: []Member{
			must("messaging_product", product, ""),
			must("file", file, "100 MB at most, less for most types; see [media](media.md)."),
			may("type", text, "MIME type; the part's own by default."),
			may("ttl_minutes", whole, "How long the file lives, 60 to 43200; only for numbers without storage."),
		},
		Answer: created, Errors: []*wa.Error{wa.ErrParamFileType, wa.ErrMediaTooLarge, wa.ErrNotRegistered, wa.ErrMaintenance},
	},
	"GET media": {
		Does: "Reads where a file can be downloaded, for five minutes.", More: "The address asks for a token that reaches the account.", Params: onNumber,
	},
	"DELETE media": {Does: "Deletes a file; messages that carry it keep it.", Params: onNumber},
	"GET upload":   {Does: "Reads how far a resumable upload is.", Params: []Member{must("sig", text, "Part of the session's id: paste the id into the path as it is.")}},
	"POST upload": {
		Does: "Sends the file, or goes on with it.", More: "The body is the bytes themselves. When all have arrived the answer is the handle.",
		Params: []Member{
			{Name: "sig", Type: text, Required: true, Says: "Part of the session's id: paste the id into the path as it is.", In: "query"},
			header("file_offset", "Byte to go on at; 0 to begin."),
		},
		Answer: object(may("h", text, "The handle."), may("id", text, "While bytes are missing."), may("file_offset", whole, "Where to go on.")),
	},
}

var mediaTypes = map[string]typeWords{
	"WhatsAppBusinessMedia": {"A file.", []Member{
		may("messaging_product", product, ""),
		may("url", link, ""),
		may("mime_type", text, ""),
		may("sha256", text, "Hex."),
		may("file_size", whole, "Bytes."),
		may("id", id, ""),
	}},
	"UploadSession": {"A resumable upload.", []Member{
		may("id", text, ""),
		may("file_offset", whole, ""),
	}},
	"WhatsAppBlockedUser": {"Somebody whom a number blocks.", []Member{
		may("messaging_product", product, ""),
		may("wa_id", text, ""),
		may("user_id", text, "Business-scoped."),
	}},
	"WhatsAppMessageHistory": {"What became of a message.", []Member{
		may("id", id, ""),
		may("message_id", text, ""),
		may("events", data(object(must("id", id, ""), must("delivery_status", enum("SENT", "DELIVERED", "READ", "FAILED"), ""), must("timestamp", unix, ""), may("error_description", text, ""))), ""),
	}},
	"WhatsAppMessageHistoryEvent": {"A step of a message.", []Member{
		may("cursor", text, ""),
		may("node", object(must("id", id, ""), must("delivery_status", enum("SENT", "DELIVERED", "READ", "FAILED"), ""), may("error_description", text, ""), must("occurrence_timestamp", unix, "")), ""),
	}},
}
