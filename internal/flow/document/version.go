package document

import (
	"slices"
	"strconv"
	"strings"
)

// Version is a version of Flow JSON, as a number that orders: 7.3 is 703. Zero is none.
type Version int

// versions are those of spec/flows.md, section 9, oldest first.
var versions = []Version{201, 300, 301, 400, 500, 501, 600, 601, 602, 603, 700, 701, 702, 703}

// firstPublishable is the oldest version that new flows may be published in.
const firstPublishable Version = 501

// Latest is the newest version this package knows.
const Latest Version = 703

// ParseVersion reads "7.3". It reports false for what is no version that was ever offered.
func ParseVersion(s string) (Version, bool) {
	major, minor, ok := strings.Cut(s, ".")
	if !ok || len(s) > 5 {
		return 0, false
	}
	a, err := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	v := Version(a*100 + b)
	if err != nil || err2 != nil || b > 99 || v.String() != s {
		return 0, false
	}
	if slices.Contains(versions, v) {
		return v, true
	}
	return 0, false
}

// String writes the version as "7.3"; zero as nothing.
func (v Version) String() string {
	if v == 0 {
		return ""
	}
	return strconv.Itoa(int(v)/100) + "." + strconv.Itoa(int(v)%100)
}

// Publishable reports whether a flow of this version may be published today; older ones may only be sent.
func (v Version) Publishable() bool { return v >= firstPublishable }

// dataVersions are the versions of the data endpoint's protocol.
var dataVersions = []string{"3.0", "4.0"}
