// Package html builds pages from values: an element is a function of its children, an attribute is a child like any other.
//
//	html.A(html.Class("link"), html.Href("/apps/"), html.Text(name))
//
// Text and attribute values are escaped always, and there is no way to write markup as text. Addresses go through [Address]. Names of
// elements and attributes are functions of this package, so a handler of events or an inline style cannot be made by mistake.
package html
