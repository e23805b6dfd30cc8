// Package i18n holds what the web app says, in English and in Japanese. A catalogue is a file for each page and language, en/page.json
// and ja/page.json; the text "thing" of it has the key "page.thing". Values of the API (statuses, codes, permissions, field names) are
// never translated: they are shown as they are, with a gloss beside them.
package i18n
