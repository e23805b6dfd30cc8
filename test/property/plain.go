package property

import "fmt"

// Source: spec/messages.md section 9.1.
func text(d *draw) (string, any) {
	o := object{"body": d.prose("body", 4096)}
	d.some(o, "preview_url", func() any { return d.perhaps("preview") })
	return "text", o
}

// Source: spec/messages.md sections 9.2 to 9.7.
func media(d *draw, kind string) object {
	o := d.file(kind)
	if kind != "audio" && kind != "sticker" {
		d.some(o, "caption", func() any { return d.prose("caption", 1024) })
	}
	return o
}

func image(d *draw) (string, any)   { return "image", media(d, "image") }
func video(d *draw) (string, any)   { return "video", media(d, "video") }
func sticker(d *draw) (string, any) { return "sticker", media(d, "sticker") }

func audio(d *draw) (string, any) {
	o := media(d, "audio")
	d.some(o, "voice", func() any { return false })
	return "audio", o
}

func voice(d *draw) (string, any) {
	o := media(d, "audio")
	o["voice"] = true
	return "audio", o
}

func document(d *draw) (string, any) {
	o := media(d, "document")
	d.some(o, "filename", func() any { return d.label("filename", 200) + ".pdf" })
	return "document", o
}

// degrees are written as numbers and as strings.
func (d *draw) degrees(label string, most int) any {
	v := float64(d.between(label, -most*10_000, most*10_000)) / 10_000
	d.shown(fmt.Sprintf("%.4f", v))
	if d.perhaps(label + " as a string") {
		return fmt.Sprint(v)
	}
	return v
}

// Source: spec/messages.md section 9.8.
func location(d *draw) (string, any) {
	o := object{"latitude": d.degrees("latitude", 90), "longitude": d.degrees("longitude", 180)}
	if d.perhaps("with a name") {
		o["name"] = d.label("name", 200)
		d.some(o, "address", func() any { return d.prose("address", 200) })
	}
	return "location", o
}

// Source: spec/messages.md section 9.9.
func contacts(d *draw) (string, any) {
	n := d.between("cards", 1, 3)
	if d.between("all of them", 0, 19) == 0 {
		n = 257
	}
	list := make([]any, n)
	for i := range list {
		list[i] = d.card(n > 3)
	}
	return "contacts", list
}

func (d *draw) card(short bool) object {
	if short {
		return object{"name": object{"formatted_name": "Ana Lima", "first_name": "Ana"}}
	}
	name := object{"formatted_name": d.label("formatted name", 60), pick(d, "part", "first_name", "last_name", "middle_name", "suffix", "prefix"): "Ana"}
	c := object{"name": name}
	d.some(c, "birthday", func() any { return d.shown(pick(d, "birthday", "1990-02-28", "2004-02-29")) })
	d.some(c, "org", func() any {
		return object{"company": d.label("company", 60), "department": d.label("department", 60), "title": d.label("title", 60)}
	})
	kind := func() string { return pick(d, "kind", "HOME", "WORK") }
	d.some(c, "phones", func() any {
		p := object{"phone": d.phone("phone"), "type": pick(d, "kind of phone", "CELL", "MAIN", "IPHONE", "HOME", "WORK", "other")}
		d.some(p, "wa_id", func() any { return "15550100123" })
		return []any{p, object{"phone": d.phone("second phone")}}
	})
	d.some(c, "emails", func() any { return []any{object{"email": d.name("email") + "@bistro.example", "type": kind()}} })
	d.some(c, "urls", func() any { return []any{object{"url": d.web("url"), "type": kind()}} })
	d.some(c, "addresses", func() any {
		return []any{object{
			"street": d.label("street", 60), "city": d.label("city", 60), "state": d.label("state", 60), "zip": d.name("zip"),
			"country": d.label("country", 60), "country_code": "FR", "type": kind(),
		}}
	})
	return c
}

// Source: spec/messages.md section 9.10.
func reaction(d *draw) (string, any) {
	return "reaction", object{"message_id": d.w.Heard, "emoji": d.emoji("")}
}

// emoji is one, or one of the others.
func (d *draw) emoji(others ...string) string {
	return pick(d, "emoji", append(others, "👍", "❤️", "👨‍👩‍👧‍👦", "🇯🇵", "1️⃣", "👋🏿", "‼️", "☺")...)
}
