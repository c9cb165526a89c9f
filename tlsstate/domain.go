package tlsstate

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// domain is a DomainConfig that is ready: files read, filters parsed, the
// configuration of crypto/tls made. It does not change.
type domain struct {
	cfg        DomainConfig
	addresses  []addressFilter
	sipDomains []string // lower case
	matchesAll bool
	tls        *tls.Config
	roots      *x509.CertPool // nil = the system's
	usages     []x509.ExtKeyUsage
	leaf       *x509.Certificate
	leafSum    [32]byte
	warnings   []string
}

// curves are the key exchanges that are offered. P-521 is not: it costs
// milliseconds, and clients can pick it.
var curves = []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384}

// sessionsKept is how many peers a client domain remembers the session of.
const sessionsKept = 1024

func newDomain(cfg DomainConfig) (*domain, error) {
	d := &domain{cfg: cfg}
	if cfg.Role != Server && cfg.Role != Client {
		return nil, errors.New("neither server nor client")
	}
	if err := d.filters(); err != nil {
		return nil, err
	}
	low, high, err := ParseMethod(cfg.Method)
	if err != nil {
		return nil, err
	}
	d.tls = &tls.Config{
		MinVersion:                  low,
		MaxVersion:                  high,
		CurvePreferences:            curves,
		SessionTicketsDisabled:      !cfg.tickets(),
		DynamicRecordSizingDisabled: true,
	}
	if err := d.certificates(); err != nil {
		return nil, err
	}
	if err := d.authorities(); err != nil {
		return nil, err
	}
	if d.usages, err = keyUsages(cfg.AcceptEKU); err != nil {
		return nil, err
	}
	if cfg.Role == Server {
		d.server()
		return d, nil
	}
	// The chain and the name are checked by verifyServer.
	d.tls.InsecureSkipVerify = true
	if cfg.tickets() {
		d.tls.ClientSessionCache = tls.NewLRUClientSessionCache(sessionsKept)
	}
	return d, nil
}

// filters parses what the domain matches.
func (d *domain) filters() error {
	for _, s := range d.cfg.MatchAddresses {
		f, err := parseAddressFilter(s)
		if err != nil {
			return err
		}
		d.addresses = append(d.addresses, f)
	}
	if len(d.addresses) == 0 {
		d.addresses = []addressFilter{{any: true}}
	}
	for _, s := range d.cfg.MatchSIPDomains {
		s = strings.ToLower(strings.TrimSpace(s))
		if _, err := filepath.Match(s, ""); err != nil || s == "" {
			return fmt.Errorf("match_sip_domain %q is not a pattern", s)
		}
		d.sipDomains = append(d.sipDomains, s)
	}
	if len(d.sipDomains) == 0 {
		d.sipDomains = []string{"*"}
	}
	d.matchesAll = len(d.addresses) == 1 && d.addresses[0].any && len(d.sipDomains) == 1 && d.sipDomains[0] == "*"
	return nil
}

// certificates reads our own.
func (d *domain) certificates() error {
	for i := range d.cfg.Certificates {
		pair, err := d.keyPair(&d.cfg.Certificates[i])
		if err != nil {
			return err
		}
		d.tls.Certificates = append(d.tls.Certificates, pair)
	}
	if len(d.tls.Certificates) == 0 {
		if d.cfg.Role == Server {
			return errors.New("a server domain needs a certificate and a private_key")
		}
		return nil
	}
	d.leaf = d.tls.Certificates[0].Leaf
	d.leafSum = sha256.Sum256(d.leaf.Raw)
	return nil
}

// keyPair reads a certificate chain and its key and sees that they belong
// together.
func (d *domain) keyPair(k *KeyPair) (pair tls.Certificate, err error) {
	chain, key := k.CertificatePEM, k.PrivateKeyPEM
	if k.CertificateFile != "" {
		if chain, err = os.ReadFile(k.CertificateFile); err != nil {
			return pair, fmt.Errorf("certificate: %w", err)
		}
	}
	if k.PrivateKeyFile != "" {
		if key, err = os.ReadFile(k.PrivateKeyFile); err != nil {
			return pair, fmt.Errorf("private_key: %w", err)
		}
		if info, err := os.Stat(k.PrivateKeyFile); err == nil && info.Mode()&0o077 != 0 {
			d.warn("private_key %s can be read by others (mode %v)", k.PrivateKeyFile, info.Mode().Perm())
		}
	}
	if k.Signer != nil {
		pair, err = signerPair(chain, k)
	} else {
		pair, err = tls.X509KeyPair(chain, key)
	}
	if err != nil {
		return pair, fmt.Errorf("certificate %s, private_key %s: %w", k.CertificateFile, k.PrivateKeyFile, err)
	}
	if pair.Leaf == nil {
		if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
			return pair, fmt.Errorf("certificate %s: %w", k.CertificateFile, err)
		}
	}
	switch now := time.Now(); {
	case now.After(pair.Leaf.NotAfter):
		d.warn("certificate %s expired at %v", k.CertificateFile, pair.Leaf.NotAfter)
	case now.Before(pair.Leaf.NotBefore):
		d.warn("certificate %s is not valid before %v", k.CertificateFile, pair.Leaf.NotBefore)
	}
	return pair, nil
}

func (d *domain) warn(format string, args ...any) {
	d.warnings = append(d.warnings, fmt.Sprintf("%v domain %s: ", d.cfg.Role, d.cfg.Name)+fmt.Sprintf(format, args...))
}

// authorities reads whom peers' certificates are checked against.
func (d *domain) authorities() error {
	pems := [][]byte{d.cfg.CAPEM}
	files := []string{d.cfg.CAFile}
	if d.cfg.CADir != "" {
		entries, err := os.ReadDir(d.cfg.CADir)
		if err != nil {
			return fmt.Errorf("ca_dir: %w", err)
		}
		for _, e := range entries {
			if e.Type()&fs.ModeDir == 0 {
				files = append(files, filepath.Join(d.cfg.CADir, e.Name()))
			}
		}
	}
	for i, f := range files {
		if f == "" {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			return fmt.Errorf("ca_list: %w", err)
		}
		if i == 0 && !x509.NewCertPool().AppendCertsFromPEM(text) {
			return fmt.Errorf("ca_list %s holds no certificate", f)
		}
		pems = append(pems, text)
	}
	for _, text := range pems {
		if len(text) == 0 {
			continue
		}
		if d.roots == nil {
			d.roots = x509.NewCertPool()
		}
		d.roots.AppendCertsFromPEM(text)
	}
	return nil
}

// server sets what only a server asks of its peers.
func (d *domain) server() {
	switch {
	case d.cfg.verify() && d.cfg.require():
		d.tls.ClientAuth = tls.RequireAnyClientCert
	case d.cfg.verify():
		d.tls.ClientAuth = tls.RequestClientCert
	default:
		return
	}
	d.tls.ClientCAs = d.roots // named in the CertificateRequest; we check ourselves
	d.tls.VerifyConnection = d.verifyClient
}

// clientConfig is the domain's configuration for one peer.
func (d *domain) clientConfig(q ClientQuery) *tls.Config {
	c := d.tls.Clone()
	c.ServerName = serverName(q.SIPDomain)
	if d.cfg.verify() {
		c.VerifyConnection = func(cs tls.ConnectionState) error { return d.verifyServer(cs, q.SIPDomain) }
	}
	return c
}
