package tlsstate

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// domain is a DomainConfig that is ready: files read, filters parsed, the
// configuration of crypto/tls made. It does not change, but for the ticket keys
// and the sessions, which have their own locks.
type domain struct {
	cfg DomainConfig
	set *Set
	// tls is the configuration of a server's connections, or what that of each
	// of a client's is cloned from.
	tls   *tls.Config
	p256  *tls.Config       // server: the same for clients that prefersP256 tells of
	certs []tls.Certificate // own; those with ECDSA keys first
	// identity is the SHA-256 of our leaf certificate, zero without one.
	identity [32]byte
	known    ClientIdentity // client

	verify  bool
	roots   *authorities
	usages  usages
	revoked *revocations // nil: not checked

	tickets  *BoundKeys    // server; nil: none
	sessions *sessionCache // client; nil: none
	warnings []string
}

func newDomain(cfg DomainConfig, s *Set) (*domain, error) {
	d := &domain{cfg: cfg, set: s, verify: cfg.verify()}
	if cfg.Role != Server && cfg.Role != Client {
		return nil, errors.New("neither server nor client")
	}
	if cfg.Name == "" {
		return nil, errors.New("has no name")
	}
	d.tls = &tls.Config{
		DynamicRecordSizingDisabled: true,
		SessionTicketsDisabled:      !cfg.tickets(),
		Time:                        s.time,
	}
	if err := errors.Join(d.protocol(), d.certificates(), d.authorities()); err != nil {
		return nil, err
	}
	if cfg.DHParams != "" {
		d.warn("dh_params has no effect: finite-field Diffie-Hellman is not offered, elliptic curves are")
	}
	if cfg.Role == Server {
		return d, d.server()
	}
	d.client()
	return d, nil
}

// protocol reads versions, cipher suites and groups.
func (d *domain) protocol() (err error) {
	if d.tls.MinVersion, d.tls.MaxVersion, err = Versions(d.cfg.Method, d.cfg.Ciphers); err != nil {
		return of("tls_method", 0, err)
	}
	if d.tls.CipherSuites, err = ParseCiphers(d.cfg.Ciphers); err != nil {
		return of("ciphers_list", 0, err)
	}
	if len(d.tls.CipherSuites) > 0 && d.tls.MinVersion >= tls.VersionTLS13 {
		d.warn("ciphers_list has no effect: it is for TLS 1.2, and tls_method is %s", d.cfg.Method)
	}
	d.tls.CurvePreferences, err = ParseCurves(d.cfg.Curves)
	return of("ec_curve", 0, err)
}

// certificates reads our own.
func (d *domain) certificates() error {
	var wrong []error
	for i := range d.cfg.Certificates {
		pair, err := d.readPair(i, &d.cfg.Certificates[i])
		wrong = append(wrong, err)
		d.certs = append(d.certs, pair)
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	if len(d.certs) == 0 {
		if d.cfg.Role == Server {
			return errors.New("a server domain needs a certificate and a private_key")
		}
		return nil
	}
	// Signing with ECDSA costs a thirtieth of signing with RSA.
	ecdsaFirst(d.certs)
	d.identity = identityOf(d.certs)
	return nil
}

// leaf is our preferred certificate; nil without one.
func (d *domain) leaf() *x509.Certificate {
	if len(d.certs) == 0 {
		return nil
	}
	return d.certs[0].Leaf
}

// authorities reads whom and how peers' certificates are checked against.
func (d *domain) authorities() error {
	var wrong [3]error
	d.usages, wrong[0] = parseUsages(d.cfg.AcceptEKU)
	if d.cfg.require() && !d.verify && d.cfg.Role == Server {
		d.warn("require_cert without verify_cert: any certificate will do")
	}
	switch {
	case d.cfg.CRLCheckAll && d.cfg.CRLDir == "":
		d.warn("crl_check_all has no effect without crl_dir: nothing is checked for revocation")
	case d.cfg.CRLDir != "" && !d.verify:
		d.warn("crl_dir has no effect without verify_cert")
	}
	d.roots, wrong[1] = d.readAuthorities()
	if d.cfg.CRLDir != "" {
		var err error
		if d.revoked, err = readRevocations(d.cfg.CRLDir, d.set.time()); err != nil {
			wrong[2] = of("crl_dir", 0, err)
		} else {
			for _, line := range d.revoked.warnings(d.set.time()) {
				d.warn("%s", line)
			}
		}
	}
	return errors.Join(wrong[:]...)
}

// server sets what only a server needs.
func (d *domain) server() error {
	switch {
	case d.cfg.require():
		d.tls.ClientAuth = tls.RequireAnyClientCert
	case d.verify:
		d.tls.ClientAuth = tls.RequestClientCert
	}
	// ClientCAs stays empty: the list of authorities in a CertificateRequest
	// makes clients hold back a certificate that they would otherwise show, and
	// "no certificate" tells an operator less than "certificate authority
	// unknown".
	if d.cfg.tickets() {
		d.tickets = d.set.tickets.Bind(d.policy(), "sipreactor session tickets", 32)
	}
	d.tls.GetCertificate = d.certificate
	d.tls.WrapSession = d.sealTicket
	d.tls.VerifyConnection = func(cs tls.ConnectionState) error { return d.verifyClient(cs).orNil() }
	d.p256 = d.tls.Clone()
	d.p256.CurvePreferences = withoutX25519(d.tls.CurvePreferences)
	return nil
}

// client sets what only a client needs.
func (d *domain) client() {
	d.tls.InsecureSkipVerify = true // verified in VerifyConnection
	d.tls.GetClientCertificate = d.showCertificate
	if d.cfg.tickets() {
		d.sessions = newSessionCache()
	}
}

// policy is a fingerprint of what the domain demands of its peers. A ticket is
// good only for the policy under which it was made.
func (d *domain) policy() [32]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%v %q %t %t %t %q %t %q\n", d.cfg.Role, d.cfg.Name, d.verify, d.cfg.require(),
		d.cfg.verifyDomain(), d.usages.names, d.cfg.CRLDir != "", d.cfg.Method)
	for i := range d.roots.sums {
		h.Write(d.roots.sums[i][:])
	}
	return [32]byte(h.Sum(nil))
}

// certificate chooses the one that a client is shown.
func (d *domain) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	m := hello.Conn.(*transport).m
	pair := choosePair(d.certs, hello)
	m.own = pair.Leaf
	return m.withKey(pair), nil
}

// serverConfig is the domain's configuration for one connection: one for all
// whose secrets nobody wants to know.
func (d *domain) serverConfig(m *machine, hello *tls.ClientHelloInfo) *tls.Config {
	if d.tickets != nil {
		d.tickets.Refresh(d.set.time(), d.useTicketKeys)
	}
	c := d.tls
	if prefersP256(c.CurvePreferences, c.MaxVersion, hello) {
		c = d.p256
	}
	if log := d.set.keyLogFor(m, m.t.remote); log != nil {
		c = c.Clone()
		c.KeyLogWriter = log
	}
	return c
}

// TicketChainLimit is how long a client's chain may be, DER, that goes into its
// ticket: a ticket has no room for more than 64 kB, and the client sends it with
// each ClientHello.
const TicketChainLimit = 16 << 10

// noTicket is what a client gets whose chain is too long: crypto/tls has announced
// a ticket by then. None of our keys has sealed it, so it opens for nobody; the
// next handshake is a full one.
var noTicket = []byte{0}

// sealTicket makes a client's session ticket.
func (d *domain) sealTicket(cs tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
	size := 0
	for _, c := range cs.PeerCertificates {
		size += len(c.Raw)
	}
	switch {
	case size <= TicketChainLimit:
		return d.tls.EncryptTicket(cs, session)
	case cs.Version < tls.VersionTLS13:
		return nil, nil // an empty one (RFC 5077 3.3), which TLS 1.3 does not have
	default:
		return noTicket, nil
	}
}

// useTicketKeys gives crypto/tls the keys of the moment.
func (d *domain) useTicketKeys(keys [][]byte) {
	fixed := make([][32]byte, len(keys))
	for i := range keys {
		fixed[i] = [32]byte(keys[i])
	}
	d.tls.SetSessionTicketKeys(fixed)
	d.p256.SetSessionTicketKeys(fixed)
}

// clientConfig is the domain's configuration for one connection.
func (d *domain) clientConfig(m *machine, q ClientQuery) *tls.Config {
	c := d.tls.Clone()
	c.ServerName = q.SNI()
	c.GetClientCertificate = func(req *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := d.showCertificate(req)
		m.own, m.asked = pair.Leaf, true
		return m.withKey(pair), err
	}
	host := q.Meant()
	c.VerifyConnection = func(cs tls.ConnectionState) error { return d.verifyServer(cs, host).orNil() }
	if d.sessions != nil {
		m.cache = d.sessions.slot(q.SessionKey())
		c.ClientSessionCache = m.cache
	}
	c.KeyLogWriter = d.set.keyLogFor(m, q.Addr)
	return c
}

// validity gives the time in which all our certificates are valid; zero times
// when there are none.
func (d *domain) validity() (from, to time.Time) {
	for i := range d.certs {
		leaf := d.certs[i].Leaf
		if from.IsZero() || leaf.NotBefore.After(from) {
			from = leaf.NotBefore
		}
		if to.IsZero() || leaf.NotAfter.Before(to) {
			to = leaf.NotAfter
		}
	}
	return from, to
}

func (d *domain) warn(format string, args ...any) {
	d.warnings = append(d.warnings, fmt.Sprintf("%v domain %s: ", d.cfg.Role, d.cfg.Name)+fmt.Sprintf(format, args...))
}
