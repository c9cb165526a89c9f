package tlstest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Pair is a certificate with its key, and the chain up to its root, which is
// not part of it.
type Pair struct {
	Cert  *x509.Certificate
	Key   crypto.Signer
	Chain []*x509.Certificate // the intermediates, the leaf's issuer first
}

// CA is an authority.
type CA struct {
	Pair
}

// Leaf says what a certificate is to be; the zero value is an ECDSA P-256
// certificate for nobody, valid now, for servers and clients.
type Leaf struct {
	CN      string
	Subject pkix.Name // instead of CN
	DNS     []string
	IPs     []string
	URIs    []string
	Emails  []string
	RSA     bool
	// Usages are the extended key usages; nil is serverAuth and clientAuth, an
	// empty slice is no such extension.
	Usages      []x509.ExtKeyUsage
	OtherUsages []asn1.ObjectIdentifier
	// NotBefore and NotAfter are an hour ago and in a day when zero.
	NotBefore, NotAfter time.Time
	Serial              *big.Int
	// Change is the last word on the certificate; nil changes nothing.
	Change func(*x509.Certificate)
}

// NewCA makes an authority that signs itself.
func NewCA(t testing.TB, name string) *CA {
	t.Helper()
	return newCA(t, name, nil, nil)
}

// NewChangedCA is NewCA with a last word on its certificate.
func NewChangedCA(t testing.TB, name string, change func(*x509.Certificate)) *CA {
	t.Helper()
	return newCA(t, name, nil, change)
}

// Intermediate makes an authority below another.
func (ca *CA) Intermediate(t testing.TB, name string) *CA {
	t.Helper()
	return newCA(t, name, ca, nil)
}

// ChangedIntermediate is Intermediate with a last word on its certificate.
func (ca *CA) ChangedIntermediate(t testing.TB, name string, change func(*x509.Certificate)) *CA {
	t.Helper()
	return newCA(t, name, ca, change)
}

func newCA(t testing.TB, name string, issuer *CA, change func(*x509.Certificate)) *CA {
	t.Helper()
	key := newKey(t, false)
	template := &x509.Certificate{
		SerialNumber:          serial(t),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-24 * time.Hour),
		NotAfter:              time.Now().Add(365 * 24 * time.Hour),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	if change != nil {
		change(template)
	}
	ca := &CA{Pair{Key: key}}
	if issuer == nil {
		ca.Cert = sign(t, template, template, key.Public(), key)
	} else {
		ca.Cert = sign(t, template, issuer.Cert, key.Public(), issuer.Key)
		ca.Chain = append([]*x509.Certificate{ca.Cert}, issuer.Chain...)
	}
	return ca
}

// Leaf makes a certificate.
func (ca *CA) Leaf(t testing.TB, l Leaf) *Pair {
	t.Helper()
	p := &Pair{Key: newKey(t, l.RSA), Chain: ca.Chain}
	p.Cert = sign(t, l.template(t), ca.Cert, p.Key.Public(), ca.Key)
	return p
}

// SelfSigned makes a certificate that nobody vouches for.
func SelfSigned(t testing.TB, l Leaf) *Pair {
	t.Helper()
	p := &Pair{Key: newKey(t, l.RSA)}
	template := l.template(t)
	p.Cert = sign(t, template, template, p.Key.Public(), p.Key)
	return p
}

func (l Leaf) template(t testing.TB) *x509.Certificate {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber:       l.Serial,
		Subject:            l.Subject,
		NotBefore:          l.NotBefore,
		NotAfter:           l.NotAfter,
		KeyUsage:           x509.KeyUsageDigitalSignature,
		ExtKeyUsage:        l.Usages,
		UnknownExtKeyUsage: l.OtherUsages,
		DNSNames:           l.DNS,
		EmailAddresses:     l.Emails,
	}
	if l.CN != "" {
		c.Subject = pkix.Name{CommonName: l.CN}
	}
	if c.SerialNumber == nil {
		c.SerialNumber = serial(t)
	}
	if c.NotBefore.IsZero() {
		c.NotBefore = time.Now().Add(-time.Hour)
	}
	if c.NotAfter.IsZero() {
		c.NotAfter = time.Now().Add(24 * time.Hour)
	}
	if l.Usages == nil && l.OtherUsages == nil {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	for _, ip := range l.IPs {
		c.IPAddresses = append(c.IPAddresses, net.ParseIP(ip))
	}
	for _, s := range l.URIs {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		c.URIs = append(c.URIs, u)
	}
	if l.Change != nil {
		l.Change(c)
	}
	return c
}

// CertPEM is the chain, leaf first.
func (p *Pair) CertPEM() []byte {
	text := encode("CERTIFICATE", p.Cert.Raw)
	for _, c := range p.Chain {
		if c != p.Cert {
			text = append(text, encode("CERTIFICATE", c.Raw)...)
		}
	}
	return text
}

// KeyPEM is the private key.
func (p *Pair) KeyPEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		panic(err) // of a key that this package made
	}
	return encode("PRIVATE KEY", der)
}

// TLS is the pair for crypto/tls.
func (p *Pair) TLS(t testing.TB) tls.Certificate {
	t.Helper()
	c, err := tls.X509KeyPair(p.CertPEM(), p.KeyPEM())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Files writes chain and key into a folder that goes away with the test.
func (p *Pair) Files(t testing.TB) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	Write(t, cert, p.CertPEM(), 0o644)
	Write(t, key, p.KeyPEM(), 0o600)
	return cert, key
}

// Pool is the authority for crypto/tls.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	return pool
}

// File writes the authority's certificate into a folder that goes away with
// the test.
func (ca *CA) File(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	Write(t, file, ca.CertPEM(), 0o644)
	return file
}

// CRL makes the authority's revocation list, DER.
func (ca *CA) CRL(t testing.TB, nextUpdate time.Time, revoked ...*Pair) []byte {
	t.Helper()
	return ca.List(t, func(l *x509.RevocationList) { l.ThisUpdate, l.NextUpdate = nextUpdate.Add(-48*time.Hour), nextUpdate }, revoked...)
}

// List is CRL with a last word on the list, which is in force for an hour more.
func (ca *CA) List(t testing.TB, change func(*x509.RevocationList), revoked ...*Pair) []byte {
	t.Helper()
	now := time.Now()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-47 * time.Hour), NextUpdate: now.Add(time.Hour)}
	for _, p := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: p.Cert.SerialNumber, RevocationTime: template.ThisUpdate})
	}
	if change != nil {
		change(template)
	}
	issuer := *ca.Cert
	issuer.KeyUsage |= x509.KeyUsageCRLSign // also of one that may not
	der, err := x509.CreateRevocationList(rand.Reader, template, &issuer, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Write writes a file or fails the test.
func Write(t testing.TB, file string, data []byte, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(file, data, mode); err != nil {
		t.Fatal(err)
	}
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func newKey(t testing.TB, useRSA bool) (key crypto.Signer) {
	t.Helper()
	var err error
	if useRSA {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// serial is random, of the 20 bytes that public authorities use.
func serial(t testing.TB) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 158))
	if err != nil {
		t.Fatal(err)
	}
	return n.SetBit(n, 157, 1)
}

func sign(t testing.TB, template, parent *x509.Certificate, pub crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
