// Package mediatest holds what tests of media share: the promises of media.Blobs as a suite, a store in memory, and files
// of every kind.
package mediatest
