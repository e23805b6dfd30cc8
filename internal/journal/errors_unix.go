//go:build unix

package journal

import "syscall"

// errQuota is what a file system says when the user's share of the disk is used up.
const errQuota = syscall.EDQUOT
