package vault_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// hook plays a hook program: "xor" wraps by inverting all bits, the others misbehave.
func hook(mode, verb string) int {
	var in struct {
		Context string `json:"context"`
		Data    []byte `json:"data"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	want := "hikyaku/root"
	if mode == "xor-other" {
		want = "another"
	}
	if in.Context != want {
		fmt.Fprintln(os.Stderr, "unknown context "+in.Context)
		return 1
	}
	for i := range in.Data {
		in.Data[i] ^= 0xff
	}
	switch mode {
	case "deny":
		fmt.Fprintln(os.Stderr, "no access to key\nmore")
		return 2
	case "noise":
		fmt.Println("hello")
		return 0
	case "flood":
		fmt.Println(strings.Repeat("x", 10<<20))
		return 0
	case "empty":
		fmt.Println("{}")
		return 0
	case "short":
		in.Data = in.Data[:min(5, len(in.Data))]
	case "forget":
		if verb == "unwrap" {
			in.Data[0]++
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"data": in.Data}); err != nil {
		return 1
	}
	return 0
}
