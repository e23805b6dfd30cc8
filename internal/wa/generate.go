package wa

//go:generate go run ./gen
