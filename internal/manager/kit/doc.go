// Package kit holds the parts pages are made of: cards, notes, buttons, fields, tables, tags, and how ids, times and numbers are
// written. Pages compose these and seldom an element of their own. Where a part has words of its own, its first argument is the
// language; all other texts come from the page.
package kit
