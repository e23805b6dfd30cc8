// Package postman is the source of the collections in the folder postman: requests as data, in an order in which each finds
// what it needs, on a fresh sandbox. gen writes them as Postman files; the tests run them without Postman, against a platform
// in this process, and hold every answer to the OpenAPI document. Every call that is served must occur.
package postman

//go:generate go run ./gen ../../postman
