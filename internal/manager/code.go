package manager

import (
	"strconv"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// code is how a row of the error table is written beside a field: "100/33".
func code(e *wa.Error) string {
	s := strconv.Itoa(e.Code)
	if e.Subcode != 0 {
		s += "/" + strconv.Itoa(e.Subcode)
	}
	return s
}
