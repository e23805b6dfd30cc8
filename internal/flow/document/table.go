package document

import "maps"

// rule says what a property may be.
type rule struct {
	kinds    kind
	required bool
	static   bool     // no ${reference} may stand here
	most     int      // characters of a string, items of an array, the value of a number; 0 means no bound
	least    int      // as most
	enum     []string // the words allowed
	since    Version
	items    *rule           // of an array
	fields   map[string]rule // of an object
	actions  []string        // what an action may be; see actionSince for the versions
}

// component says what a component is made of.
type component struct {
	since Version
	props map[string]rule
	field bool // takes a value from the person
	most  int  // on one screen; 0 means no bound of its own
}

func text(most int) rule     { return rule{kinds: kindString, most: most} }
func texty(most int) rule    { return rule{kinds: kindString | kindArray, most: most} }
func flag() rule             { return rule{kinds: kindBool} }
func count(a, b int) rule    { return rule{kinds: kindNumber, least: a, most: b} }
func words(w ...string) rule { return rule{kinds: kindString, enum: w} }
func list(a, b int, items rule) rule {
	return rule{kinds: kindArray, least: a, most: b, items: &items}
}
func object(f map[string]rule) rule { return rule{kinds: kindObject, fields: f} }
func does(actions ...string) rule   { return rule{kinds: kindObject, static: true, actions: actions} }

func (r rule) must() rule          { r.required = true; return r }
func (r rule) fixed() rule         { r.static = true; return r }
func (r rule) from(v Version) rule { r.since = v; return r }
func (r rule) or(k kind) rule      { r.kinds |= k; return r }
func with(maps_ ...map[string]rule) map[string]rule {
	all := map[string]rule{}
	for _, m := range maps_ {
		maps.Copy(all, m)
	}
	return all
}

// The actions and the version each came with. Source: Flow JSON reference, "Actions".
var actionSince = map[string]Version{
	"navigate": 201, "complete": 201, "data_exchange": 201, "open_url": 600, "update_data": 600,
}

// option is an entry of a data source.
var option = object(map[string]rule{
	"id": text(200).must(), "title": text(30).must(), "description": text(300), "metadata": text(20), "enabled": flag(),
	"image": {kinds: kindString, since: 500}, "alt-text": text(100).from(500), "color": text(10).from(500),
	"on-select-action": does("update_data").from(600), "on-unselect-action": does("update_data").from(600),
})

// face is what all fields share.
var face = map[string]rule{
	"name": text(200).must().fixed(), "visible": flag(), "enabled": flag(), "required": flag(),
	"error-message": {kinds: kindString | kindObject, since: 400},
}

// choice is what fields share that choose from a data source.
var choice = with(face, map[string]rule{
	"on-select-action": does("data_exchange", "update_data"), "on-unselect-action": does("update_data").from(600),
})

var image = map[string]rule{"src": text(0).must(), "alt-text": text(300)}

// components are the building blocks. Source: Flow JSON reference, "Components" (limits as of version 7.3).
var components = map[string]component{
	"TextHeading":    {props: map[string]rule{"text": text(80).must(), "visible": flag()}},
	"TextSubheading": {props: map[string]rule{"text": text(80).must(), "visible": flag()}},
	"TextBody":       {props: with(prose, map[string]rule{"text": texty(4096).must()})},
	"TextCaption":    {props: with(prose, map[string]rule{"text": texty(409).must()})},
	"RichText":       {since: 501, props: map[string]rule{"text": texty(0).must(), "visible": flag()}},
	"TextInput": {field: true, props: with(face, map[string]rule{
		"label": text(20).must(), "label-variant": words("large").from(700), "pattern": text(1000).from(602),
		"input-type": words("text", "number", "email", "password", "passcode", "phone"),
		"min-chars":  count(0, 10000).or(kindString), "max-chars": count(1, 10000).or(kindString), "helper-text": text(80),
		"init-value": text(0).or(kindNumber).from(400),
	})},
	"TextArea": {field: true, props: with(face, map[string]rule{
		"label": text(20).must(), "label-variant": words("large").from(700), "max-length": count(1, 10000).or(kindString),
		"helper-text": text(80), "init-value": text(0).from(400),
	})},
	"CheckboxGroup": {field: true, props: with(choice, map[string]rule{
		"data-source": list(1, 20, option).must(), "label": text(30), "description": text(300).from(400),
		"min-selected-items": count(0, 20), "max-selected-items": count(1, 20), "media-size": words("regular", "large").from(500),
		"init-value": list(0, 20, text(200)).from(400),
	})},
	"RadioButtonsGroup": {field: true, props: with(choice, map[string]rule{
		"data-source": list(1, 20, option).must(), "label": text(30), "description": text(300).from(400),
		"media-size": words("regular", "large").from(500), "init-value": text(200).from(400),
	})},
	"ChipsSelector": {since: 603, field: true, props: with(choice, map[string]rule{
		"data-source": list(2, 20, option).must(), "label": text(80).must(), "description": text(300),
		"min-selected-items": count(0, 20), "max-selected-items": count(1, 20), "init-value": list(0, 20, text(200)),
	})},
	"Dropdown": {field: true, props: with(choice, map[string]rule{
		"data-source": list(1, 200, option).must(), "label": text(20).must(), "init-value": text(200).from(400),
	})},
	"DatePicker": {field: true, props: with(face, map[string]rule{
		"label": text(40).must(), "min-date": text(20), "max-date": text(20), "unavailable-dates": list(0, 1000, text(20)),
		"helper-text": text(80), "on-select-action": does("data_exchange"), "init-value": text(20).from(400),
	})},
	"CalendarPicker": {since: 601, field: true, props: with(face, map[string]rule{
		"title": text(80), "description": text(300), "label": text(40).or(kindObject).must(), "mode": words("single", "range"),
		"helper-text": text(80).or(kindObject), "required": flag().or(kindObject), "min-date": text(20), "max-date": text(20),
		"unavailable-dates": list(0, 1000, text(20)), "min-days": count(0, 1000), "max-days": count(1, 1000),
		"include-days":     list(1, 7, words("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")),
		"on-select-action": does("data_exchange", "update_data"), "init-value": text(20).or(kindObject),
	})},
	"OptIn": {field: true, most: 5, props: with(face, map[string]rule{
		"label": text(120).must(), "on-click-action": does("navigate", "data_exchange", "open_url"), "init-value": flag().from(400),
		"on-select-action": does("update_data").from(600), "on-unselect-action": does("update_data").from(600),
	})},
	"EmbeddedLink": {most: 2, props: map[string]rule{
		"text": text(25).must(), "on-click-action": does("navigate", "data_exchange", "open_url").must(), "visible": flag(),
	}},
	"NavigationList": {since: 602, most: 2, props: map[string]rule{
		"name": text(200).must().fixed(), "list-items": list(1, 20, listItem).must(), "label": text(80), "description": text(300),
		"media-size": words("regular", "large"), "on-click-action": does("navigate", "data_exchange"), "visible": flag(),
	}},
	"Image": {most: 3, props: with(image, map[string]rule{
		"width": count(1, 0).or(kindString), "height": count(1, 0).or(kindString), "scale-type": words("contain", "cover"),
		"aspect-ratio": {kinds: kindNumber | kindString}, "visible": flag(),
	})},
	"ImageCarousel": {since: 701, most: 2, props: map[string]rule{
		"images": list(1, 3, object(image)).must(), "scale-type": words("contain", "cover"),
		"aspect-ratio": words("4:3", "16:9"), "visible": flag(),
	}},
	"PhotoPicker": {since: 400, field: true, props: with(picker, map[string]rule{
		"photo-source":        words("camera_gallery", "camera", "gallery"),
		"min-uploaded-photos": count(0, 30), "max-uploaded-photos": count(1, 30),
	})},
	"DocumentPicker": {since: 400, field: true, props: with(picker, map[string]rule{
		"allowed-mime-types":     list(1, 100, text(100)),
		"min-uploaded-documents": count(0, 30), "max-uploaded-documents": count(1, 30),
	})},
	"If": {since: 400, props: map[string]rule{
		"condition": text(2000).must(), "then": rule{kinds: kindArray, least: 1}.must().fixed(), "else": rule{kinds: kindArray}.fixed(),
	}},
	"Switch": {since: 400, props: map[string]rule{"value": text(2000).must(), "cases": object(nil).must().fixed()}},
	"Form": {props: map[string]rule{
		"name": text(200).must().fixed(), "children": rule{kinds: kindArray, least: 1}.must().fixed(),
		"init-values": {kinds: kindObject | kindString}, "error-messages": {kinds: kindObject | kindString},
	}},
	"Footer": {most: 0, props: map[string]rule{
		"label": text(35).must(), "left-caption": text(15), "center-caption": text(15), "right-caption": text(15), "enabled": flag(),
		"on-click-action": does("navigate", "data_exchange", "complete", "update_data").must(),
	}},
}

func init() {
	for _, c := range components {
		c.props["type"] = text(0).fixed().must()
	}
}

var prose = map[string]rule{
	"visible": flag(), "font-weight": words("bold", "italic", "bold_italic", "normal"), "strikethrough": flag(),
	"markdown": flag().fixed().from(501),
}

var picker = map[string]rule{
	"name": text(200).must().fixed(), "label": text(80).must(), "description": text(300), "enabled": flag(), "visible": flag(),
	"max-file-size-kb": count(1, 25600), "error-message": {kinds: kindString | kindObject},
}

var listItem = object(map[string]rule{
	"id": text(200).must(), "badge": text(15), "tags": list(1, 3, text(15)),
	"main-content":    object(map[string]rule{"title": text(30).must(), "description": text(20), "metadata": text(80)}).must(),
	"start":           object(map[string]rule{"image": text(0).must(), "alt-text": text(100)}),
	"end":             object(map[string]rule{"title": text(10), "description": text(10), "metadata": text(10)}),
	"on-click-action": does("navigate", "data_exchange"),
})
