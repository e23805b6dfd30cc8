package media

// OpenS3With opens a bucket over a transport.
var OpenS3With = openS3

// LookAt tells what the first bytes of a file are, and the fault it has as the declared type.
func LookAt(head []byte, declared string) (mime, fault string) {
	l := look(head)
	var r reel
	for b := head; len(b) > 0; b = b[min(len(b), 7):] {
		_, _ = r.Write(b[:min(len(b), 7)])
	}
	l.film = r.film()
	return l.MIME, l.fault(declared, int64(len(head)))
}
