package media_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/media/mediatest"
)

func TestDir(t *testing.T) {
	t.Parallel()
	mediatest.Blobs(t, func(tb testing.TB) media.Blobs {
		tb.Helper()
		d, err := media.OpenDir(filepath.Join(tb.TempDir(), "blobs"))
		if err != nil {
			tb.Fatal(err)
		}
		return d
	})
}

// A process that dies while it writes leaves a file that Delete clears away.
func TestDirClearsUnfinishedFiles(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d, err := media.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	id := strings.Repeat("ab", 16)
	left := filepath.Join(path, "ab", id+".part")
	if err := os.MkdirAll(filepath.Dir(left), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Error("the unfinished file is still there")
	}
}

// The server is an S3 in this process, reached over HTTPS with signed requests.
func TestS3(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	backend := s3mem.New()
	if err := backend.CreateBucket("files"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	address := "s3://files/some/where?region=eu-central-1&endpoint=" + server.URL
	t.Run("promises", func(t *testing.T) {
		mediatest.Blobs(t, func(tb testing.TB) media.Blobs {
			tb.Helper()
			s, err := media.OpenS3With(context.Background(), address, server.Client().Transport)
			if err != nil {
				tb.Fatal(err)
			}
			return s
		})
	})
	for _, bad := range []string{"s3://", "s3://nobody?endpoint=" + server.URL, "s3://files?endpoint=ftp://x", "s3://key:secret@files", "http://files"} {
		if _, err := media.OpenS3With(t.Context(), bad, server.Client().Transport); err == nil {
			t.Errorf("%s was opened", bad)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%v tells a secret", err)
		}
	}
}
