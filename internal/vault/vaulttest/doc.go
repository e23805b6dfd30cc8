// Package vaulttest offers a vault for the tests of other rooms, and its store in memory.
package vaulttest
