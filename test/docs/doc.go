// Package docs runs what the documentation says. Every shell block of README.md and docs/ is executed, page by page, each
// page in a shell and against a sandbox of its own, and the answer that a page shows is compared with the answer it got.
//
// How a block is written:
//
//	```sh                      runs, in the order of the page; variables go on to the next block
//	```sh terminal: WORDS      runs beside the others until the page ends; the page goes on when WORDS were printed
//	```sh skip: REASON         does not run, and says why
//	```json                    behind a block: the last JSON that it printed
//	```text output             behind a block: lines that it printed, in this order
//
// A call has to succeed, except the last one of a block whose answer is an error object. In a shown answer, … stands for
// any text, a member "…" for further members and a last element "…" for further elements; ids, times and message ids differ
// from run to run and are not compared. go test ./test/docs -update writes the answers into the pages.
package docs
