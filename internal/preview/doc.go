// Package preview fetches what a device shows under a message with a link: title, description and address of the page. It
// owns the guarded fetch and a small cache, bounds time and size, and returns nothing rather than an error: a preview never
// decides over a message. It must not know messages or users.
package preview
