package message

import (
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// MaxContacts is how many cards a message may hold. Source: spec/messages.md section 9.9, where documents disagree.
const MaxContacts = 257

// maxField bounds a line of a contact card in code points; ours. The message as a whole is bounded anyway.
const maxField = 1024

var (
	cardKeys  = []string{"name", "birthday", "org", "phones", "emails", "urls", "addresses"}
	nameKeys  = []string{"formatted_name", "first_name", "last_name", "middle_name", "suffix", "prefix"}
	orgKeys   = []string{"company", "department", "title"}
	cardLists = []struct {
		name string
		keys []string
	}{
		{"phones", []string{"phone", "type", "wa_id"}},
		{"emails", []string{"email", "type"}},
		{"urls", []string{"url", "type"}},
		{"addresses", []string{"street", "city", "state", "zip", "country", "country_code", "type"}},
	}
)

func (f *form[V]) contacts(v V) {
	cards, err := v.List()
	if f.keep(err); err != nil {
		return
	}
	if len(cards) == 0 || len(cards) > MaxContacts {
		f.count("contacts", 1, MaxContacts)
	}
	f.list(TypeContacts, func() {
		for _, c := range cards {
			f.within(c, cardKeys, f.card)
		}
	})
}

func (f *form[V]) card(o V) {
	f.object("", func() {
		f.part(o, "name", nameKeys, f.cardName)
		birthday := f.text(o.Get("birthday"), maxField)
		if _, err := time.Parse(time.DateOnly, birthday); birthday != "" && err != nil {
			f.wrong("Parameter 'birthday' must have the form YYYY-MM-DD.")
		}
		f.putSome("birthday", birthday)
		if org := o.Get("org"); org.Present() {
			f.within(org, orgKeys, func(o V) { f.object("org", func() { f.lines(o, orgKeys) }) })
		}
		for _, l := range cardLists {
			if v := o.Get(l.name); v.Present() {
				f.cardList(l.name, v, l.keys)
			}
		}
	})
}

// cardName needs formatted_name and one more part. Source: spec/messages.md section 9.9.
func (f *form[V]) cardName(o V) {
	f.object("name", func() {
		parts := f.lines(o, nameKeys)
		switch s, _ := o.Get("formatted_name").StrOr(""); {
		case s == "":
			f.missing("formatted_name")
		case parts == 1:
			f.flaw(wa.ErrRequired.With("Parameter 'name' needs formatted_name and at least one other part of the name."))
		}
	})
}

func (f *form[V]) cardList(name string, v V, keys []string) {
	elems, err := v.List()
	f.keep(err)
	f.list(name, func() {
		for _, e := range elems {
			f.within(e, keys, func(o V) { f.object("", func() { f.lines(o, keys) }) })
		}
	})
}

// lines copies strings and returns how many were not empty.
func (f *form[V]) lines(o V, names []string) (n int) {
	for _, name := range names {
		if s := f.text(o.Get(name), maxField); s != "" {
			f.put(name, s)
			n++
		}
	}
	return n
}
