//go:build solaris || aix

package device

import "os"

func lockExclusive(*os.File) error { return nil }
