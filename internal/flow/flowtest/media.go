package flowtest

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Media fetches and decrypts a file of a PhotoPicker or DocumentPicker the way the public documentation tells developers to: the
// hash of what the address gives, the first ten bytes of the MAC, AES-256-CBC with PKCS #7, the hash of the clear file. entry is an
// element of the list in the data of a question. Source: Flows reference, "Media upload".
func Media(ctx context.Context, client *http.Client, entry any) (name string, clear []byte, err error) {
	e, _ := entry.(map[string]any)
	how, _ := e["encryption_metadata"].(map[string]any)
	str := func(m map[string]any, key string) string { s, _ := m[key].(string); return s }
	if name = str(e, "file_name"); name == "" || len(strings.ReplaceAll(str(e, "media_id"), "-", "")) != 32 || len(e) != 4 || len(how) != 5 {
		return "", nil, fmt.Errorf("not a file: %v", entry)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, str(e, "cdn_url"), http.NoBody)
	if err != nil {
		return "", nil, fmt.Errorf("address: %w", err)
	}
	res, err := client.Do(req)
	if err != nil {
		return "", nil, fmt.Errorf("fetch: %w", err)
	}
	defer res.Body.Close()
	file, err := io.ReadAll(res.Body)
	if err != nil {
		return "", nil, fmt.Errorf("read: %w", err)
	}
	if res.StatusCode != http.StatusOK || len(file) < 10+aes.BlockSize {
		return "", nil, fmt.Errorf("fetch: HTTP %d, %d bytes", res.StatusCode, len(file))
	}
	if sum := sha256.Sum256(file); !bytes.Equal(sum[:], bytesOf(str(how, "encrypted_hash"))) {
		return "", nil, errors.New("encrypted_hash differs")
	}
	cut, iv := len(file)-10, bytesOf(str(how, "iv"))
	mac := hmac.New(sha256.New, bytesOf(str(how, "hmac_key")))
	mac.Write(iv)
	mac.Write(file[:cut])
	if !bytes.Equal(mac.Sum(nil)[:10], file[cut:]) {
		return "", nil, errors.New("the MAC differs")
	}
	block, err := aes.NewCipher(bytesOf(str(how, "encryption_key")))
	if err != nil || len(iv) != aes.BlockSize || cut%aes.BlockSize != 0 {
		return "", nil, fmt.Errorf("key, iv or length: %w", err)
	}
	clear = file[:cut]
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(clear, clear)
	pad := int(clear[len(clear)-1])
	if pad < 1 || pad > aes.BlockSize {
		return "", nil, errors.New("padding")
	}
	clear = clear[:len(clear)-pad]
	if sum := sha256.Sum256(clear); !bytes.Equal(sum[:], bytesOf(str(how, "plaintext_hash"))) {
		return "", nil, errors.New("plaintext_hash differs")
	}
	return name, clear, nil
}
