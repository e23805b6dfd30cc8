package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/acme/autocert"
)

// listen opens a TCP address and explains the usual failure.
func listen(ctx context.Context, flag, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("address %s is in use; stop the program that has it, or choose another with %s", addr, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s (%s): %w", addr, flag, err)
	}
	return l, nil
}

// checkPlain refuses plain HTTP where others can listen in. Source: spec/security.md S15.
func checkPlain(o *Options) error {
	if o.secure() || o.BehindProxy || loopback(o.Listen) {
		return nil
	}
	return fmt.Errorf("refusing plain HTTP on %s: give --tls-cert and --tls-key, --acme, or --tls-self-signed, or say --behind-proxy if something in front terminates TLS", o.Listen)
}

func (o *Options) secure() bool {
	return o.TLSCert != "" || len(o.SelfSigned) > 0 || len(o.ACME) > 0
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// tlsConfig returns nil for plain HTTP.
func tlsConfig(o *Options, cache string, now time.Time) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	switch {
	case o.TLSCert != "":
		cert, err := tls.LoadX509KeyPair(o.TLSCert, o.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("load --tls-cert and --tls-key: %w", err)
		}
		c.Certificates = []tls.Certificate{cert}
	case len(o.ACME) > 0:
		m := &autocert.Manager{Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(cache), HostPolicy: autocert.HostWhitelist(o.ACME...)}
		c = m.TLSConfig()
		c.MinVersion = tls.VersionTLS12
	case len(o.SelfSigned) > 0:
		cert, err := selfSigned(selfHosts(o), now)
		if err != nil {
			return nil, fmt.Errorf("make a certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{cert}
	default:
		return nil, nil
	}
	return c, nil
}

// selfHosts are the names of the self-signed certificate: those that were asked for, and those that the banner, `hikyaku env`
// and the programs on this machine use.
func selfHosts(o *Options) []string {
	hosts := slices.Clone(o.SelfSigned)
	add := func(h string) {
		if h != "" && !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	if host, _, err := net.SplitHostPort(o.Listen); err == nil {
		if ip := net.ParseIP(host); ip == nil || !ip.IsUnspecified() {
			add(host)
		}
	}
	add("localhost")
	add("127.0.0.1")
	return hosts
}

// selfSigned makes a certificate for development clients that hard-code a host name.
func selfSigned(hosts []string, now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: hosts[0], Organization: []string{"Hikyaku (self-signed)"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
