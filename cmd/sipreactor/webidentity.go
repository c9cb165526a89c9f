package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/regular"
)

// webIdentity is the certificate with which management is served over HTTPS: tls_cert_file and tls_key_file of httpd.
type webIdentity struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

// newWebIdentity reads the files; without any there is no identity.
func newWebIdentity(certFile, keyFile string) (*webIdentity, error) {
	if certFile == "" {
		return nil, nil
	}
	w := &webIdentity{certFile: certFile, keyFile: keyFile}
	cert, err := w.read()
	if err != nil {
		return nil, err
	}
	w.current.Store(cert)
	return w, nil
}

// read reads the files anew; what is shown stays as it is.
func (w *webIdentity) read() (*tls.Certificate, error) {
	chain, err := regular.Read(w.certFile)
	if err != nil {
		return nil, fmt.Errorf("tls_cert_file: %w", err)
	}
	key, err := regular.Read(w.keyFile)
	if err != nil {
		return nil, fmt.Errorf("tls_key_file: %w", err)
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("tls_cert_file, tls_key_file: %w", err)
	}
	if err := tlsstate.CheckKey(cert.Leaf); err != nil {
		return nil, fmt.Errorf("tls_cert_file: %w", err)
	}
	return &cert, nil
}

// secure wraps a listener in TLS. Connections that come after a reload see the new certificate.
func (w *webIdentity) secure(l net.Listener) net.Listener {
	return tls.NewListener(l, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return w.current.Load(), nil },
	})
}
