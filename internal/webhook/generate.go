package webhook

//go:generate go run ./gen
