package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// hookContext is what the hook is told about the key; a key service may bind it to the wrapped form.
const hookContext = "hikyaku/root"

// Hook is a program that wraps and unwraps the root key, for example with a key service. It is started as
// "<program> <args…> wrap" or "… unwrap", reads one JSON object {"context":"…","data":"<base64>"} from its standard input
// and answers {"data":"<base64>"} on its standard output. A non-zero exit status is a refusal; standard error explains it.
type Hook struct {
	Program string
	Args    []string
	Timeout time.Duration // of one call; 0 means 15 s
}

type hookCall struct {
	Context string `json:"context,omitempty"`
	Data    []byte `json:"data"`
}

// RootHook gets the root key through the hook. Its wrapped form is kept in the file at path: made on first use, unwrapped
// once per start; after that the hook is not called again, so it is off the path of every message. Errors: [ErrUnwrap]
// when the hook refuses the stored form, [ErrRootFormat].
func RootHook(ctx context.Context, h Hook, path string, rand io.Reader) (*Root, error) {
	wrapped, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if errors.Is(err, os.ErrNotExist) {
		return makeHookRoot(ctx, h, path, rand)
	}
	if err != nil {
		return nil, fmt.Errorf("read wrapped root key: %w", err)
	}
	k, err := h.call(ctx, "unwrap", wrapped)
	if err != nil {
		return nil, fmt.Errorf("%w the root key of %s: %w", ErrUnwrap, path, err)
	}
	defer clear(k)
	r, err := NewRoot(k)
	if err != nil {
		return nil, fmt.Errorf("root key from hook: %w", err)
	}
	return r, nil
}

func makeHookRoot(ctx context.Context, h Hook, path string, rand io.Reader) (*Root, error) {
	k := make([]byte, rootSize)
	defer clear(k)
	if _, err := io.ReadFull(rand, k); err != nil {
		return nil, fmt.Errorf("make root key: %w", err)
	}
	wrapped, err := h.call(ctx, "wrap", k)
	if err != nil {
		return nil, fmt.Errorf("wrap root key: %w", err)
	}
	// A hook that wraps but does not unwrap would lose everything at the next start: try it while nothing depends on it.
	back, err := h.call(ctx, "unwrap", wrapped)
	if err != nil {
		return nil, fmt.Errorf("%w what the hook has just wrapped: %w", ErrUnwrap, err)
	}
	defer clear(back)
	if !bytes.Equal(back, k) {
		return nil, fmt.Errorf("%w what the hook has just wrapped: it came back changed", ErrUnwrap)
	}
	if err := writeNew(path, wrapped); err != nil {
		return nil, fmt.Errorf("write wrapped root key: %w", err)
	}
	return NewRoot(k)
}

func (h Hook) call(ctx context.Context, verb string, data []byte) ([]byte, error) {
	timeout := h.Timeout
	if timeout == 0 {
		timeout = 15 * time.Second
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("hook did not answer within %s", timeout))
	defer cancel()
	in, err := json.Marshal(hookCall{Context: hookContext, Data: data})
	if err != nil {
		return nil, fmt.Errorf("encode hook call: %w", err)
	}
	defer clear(in)
	args := append(append([]string{}, h.Args...), verb)
	cmd := exec.CommandContext(ctx, h.Program, args...) //nolint:gosec // the operator names the program
	var out, problem capped
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &problem
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("hook %s: %w: %q", verb, err, firstLine(problem.b))
	}
	defer clear(out.b)
	var answer hookCall
	if err := json.Unmarshal(out.b, &answer); err != nil {
		return nil, fmt.Errorf(`hook %s: its answer is not {"data":"<base64>"}`, verb)
	}
	if len(answer.Data) == 0 {
		return nil, fmt.Errorf("hook %s: its answer is empty", verb)
	}
	return answer.Data, nil
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return string(line[:min(len(line), 200)])
}

// capped keeps the first 64 KiB, so that a hook gone wild does not fill the memory.
type capped struct{ b []byte }

func (c *capped) Write(p []byte) (int, error) {
	c.b = append(c.b, p[:min(len(p), 64<<10-len(c.b))]...)
	return len(p), nil
}
