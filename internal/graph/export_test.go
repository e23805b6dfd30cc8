package graph

// ParseForBenchmark reads a body as the server does.
func ParseForBenchmark(s string) error {
	_, err := parseBodyJSON(s)
	return err
}
