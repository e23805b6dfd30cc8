package app

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// trustFile is the certificate of --tls-self-signed, for clients that shall trust it. It is a new one at every start.
const trustFile = "self-signed.pem"

// publishCertificate writes the self-signed certificate into the data directory, and removes that of an earlier start.
func (a *App) publishCertificate(c *tls.Config) error {
	path := a.trustPath()
	if len(a.o.SelfSigned) == 0 || c == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove the certificate of an earlier start: %w", err)
		}
		return nil
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificates[0].Certificate[0]})
	if err := writeFile(path, b); err != nil {
		return fmt.Errorf("write the certificate: %w", err)
	}
	return nil
}

func (a *App) trustPath() string { return filepath.Join(a.o.Data, trustFile) }

// Trust returns what a client on this machine needs to believe the platform of a data directory: nil unless that one made
// its certificate itself.
func Trust(o Options) (*tls.Config, error) {
	o.defaults()
	b, err := os.ReadFile(filepath.Join(o.Data, trustFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the platform's certificate: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%s holds no certificate", filepath.Join(o.Data, trustFile))
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}, nil
}
