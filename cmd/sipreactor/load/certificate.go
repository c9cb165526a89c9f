package load

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority is a throw-away certificate authority for test set-ups.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	PEM  []byte // its certificate
}

// NewAuthority makes an authority, valid for a day.
func NewAuthority() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	tmpl := template("load test authority")
	tmpl.IsCA, tmpl.BasicConstraintsValid = true, true
	tmpl.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Authority{cert: cert, key: key, PEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}, nil
}

// Issue makes a certificate for host names and addresses with a key of kind "ecdsa" (P-256) or "rsa" (2048 bits).
func (a *Authority) Issue(kind string, hosts ...string) (certPEM, keyPEM []byte, err error) {
	return a.issue(kind, template(hosts[0]), hosts)
}

// issue makes a certificate of a template.
func (a *Authority) issue(kind string, tmpl *x509.Certificate, hosts []string) (certPEM, keyPEM []byte, err error) {
	var key crypto.Signer
	switch kind {
	case "ecdsa":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		err = fmt.Errorf("load: key kind %q, want ecdsa or rsa", kind)
	}
	if err != nil {
		return nil, nil, err
	}
	tmpl.KeyUsage = x509.KeyUsageDigitalSignature
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}

// ServerConfig issues a certificate and makes a server of it.
func (a *Authority) ServerConfig(kind string, hosts ...string) (*tls.Config, error) {
	return a.server(kind, template(hosts[0]), hosts)
}

// ExpiredConfig is ServerConfig with a certificate that has expired.
func (a *Authority) ExpiredConfig(kind string, hosts ...string) (*tls.Config, error) {
	tmpl := template(hosts[0])
	tmpl.NotAfter = time.Now().Add(-time.Minute)
	return a.server(kind, tmpl, hosts)
}

func (a *Authority) server(kind string, tmpl *x509.Certificate, hosts []string) (*tls.Config, error) {
	cert, key, err := a.issue(kind, tmpl, hosts)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, nil
}

// ClientConfig makes a client that trusts the authority and nobody else.
func (a *Authority) ClientConfig() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{RootCAs: pool}
}

// Write puts ca.pem, and for each issued certificate NAME.pem, NAME.key and NAME.both.pem (the certificate and
// its key in one file, as HAProxy wants them) into a directory.
func (a *Authority) Write(dir, name, kind string, hosts ...string) error {
	cert, key, err := a.Issue(kind, hosts...)
	if err != nil {
		return err
	}
	both := append(append([]byte(nil), cert...), key...)
	for file, data := range map[string][]byte{
		"ca.pem": a.PEM, name + ".pem": cert, name + ".key": key, name + ".both.pem": both,
	} {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func template(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
}
