package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hikyaku/hikyaku/internal/vault"
)

func (o *Options) rootPath() string {
	if o.RootKeyFile != "" {
		return o.RootKeyFile
	}
	return filepath.Join(o.Data, rootKeyFile)
}

// openRoot finds the root key, making it on the first start. There is no way to run without one.
func openRoot(ctx context.Context, o *Options) (*vault.Root, error) {
	switch {
	case o.RootKeyEnv != "":
		return envRoot(o.RootKeyEnv)
	case o.RootKeyHook != "":
		return vault.RootHook(ctx, vault.Hook{Program: o.RootKeyHook}, filepath.Join(o.Data, "root.wrapped"), rand.Reader)
	}
	// A new key opens nothing that was sealed with another one, and would lie where the right one belongs.
	if _, err := os.Stat(o.rootPath()); errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(o.Data, planFile)); err == nil {
			return nil, fmt.Errorf("there is no root key at %s, and %s was sealed with one: put it back, or say where it is with --root-key-file, "+
				"--root-key-env or --root-key-hook", o.rootPath(), o.Data)
		}
	}
	return vault.RootFile(o.rootPath(), rand.Reader)
}

// readRoot finds the root key of a platform that exists.
func readRoot(o *Options) (*vault.Root, error) {
	switch {
	case o.RootKeyEnv != "":
		return envRoot(o.RootKeyEnv)
	case o.RootKeyHook != "":
		return vault.RootHook(context.Background(), vault.Hook{Program: o.RootKeyHook}, filepath.Join(o.Data, "root.wrapped"), rand.Reader)
	}
	if _, err := os.Stat(o.rootPath()); err != nil {
		return nil, fmt.Errorf("%s holds no platform yet; start one with: hikyaku serve --data %s", o.Data, o.Data)
	}
	return vault.ReadRootFile(o.rootPath())
}

func envRoot(name string) (*vault.Root, error) {
	text, ok := os.LookupEnv(name)
	if !ok {
		return nil, fmt.Errorf("environment variable %s, which should hold the root key, is not set", name)
	}
	root, err := vault.ParseRoot(text)
	if err != nil {
		return nil, fmt.Errorf("root key in environment variable %s: %w", name, err)
	}
	return root, nil
}
