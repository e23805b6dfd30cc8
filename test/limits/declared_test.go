package limits_test

import (
	"go/ast"
	"iter"
	"strings"
)

// declared are the tests of a file.
func declared(f *ast.File) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") && !yield(fn.Name.Name) {
				return
			}
		}
	}
}
