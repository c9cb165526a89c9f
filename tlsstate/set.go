package tlsstate

import (
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Set is the domains at one time. It does not change, so any goroutine may use
// it; a reload builds another, and connections that were made with the old one
// live on.
type Set struct {
	all              []*domain // clients first
	servers, clients matcher
	byName           map[string]*domain // client domains
	answer           *tls.Config        // chooses the server domain
	tickets          *TicketKeys
	keyLog           *keyLog
	secrets          func() bool
	signer           func(crypto.Signer) (crypto.Signer, error)
	time             func() time.Time
}

// Build reads all that the configuration names and checks it. The error is a
// *DomainError, or joins several; there is no half set.
func Build(cfg Config) (*Set, error) {
	s := &Set{byName: make(map[string]*domain), tickets: cfg.TicketKeys, secrets: cfg.Secrets, signer: cfg.Signer, time: cfg.Time}
	if s.time == nil {
		s.time = time.Now
	}
	if s.tickets == nil {
		s.tickets = NewTicketKeys()
	}
	if cfg.KeyLog != nil {
		s.keyLog = &keyLog{to: cfg.KeyLog, filter: cfg.KeyLogFilter}
	}
	var wrong []error
	for _, role := range []Role{Client, Server} {
		for i := range cfg.Domains {
			if dc := &cfg.Domains[i]; dc.Role == role || role == Client && dc.Role != Server {
				for _, err := range parts(s.add(*dc)) {
					wrong = append(wrong, newDomainError(dc, err))
				}
			}
		}
	}
	switch len(wrong) {
	case 0:
	case 1:
		return nil, wrong[0]
	default:
		return nil, errors.Join(wrong...)
	}
	s.answer = &tls.Config{GetConfigForClient: s.choose, MinVersion: tls.VersionTLS10}
	return s, nil
}

func (s *Set) add(cfg DomainConfig) error {
	for _, d := range s.all {
		if d.cfg.Role == cfg.Role && d.cfg.Name == cfg.Name {
			return fmt.Errorf("declared twice")
		}
	}
	d, err := newDomain(cfg, s)
	if err != nil {
		return err
	}
	s.all = append(s.all, d)
	if cfg.Role == Server {
		return s.servers.add(d)
	}
	d.known = d.asClient()
	s.byName[cfg.Name] = d
	return s.clients.add(d)
}

// Warnings are what somebody should look at, a line each: files that others can
// read, certificates that are not valid now, parameters without effect.
func (s *Set) Warnings() (lines []string) {
	if s.keyLog != nil {
		lines = append(lines, "the secrets of TLS connections are logged: whoever has the key log can read their traffic")
	}
	for _, d := range s.all {
		lines = append(lines, d.warnings...)
	}
	return lines
}

// NewServer makes the machine that answers a handshake at our address local.
// It fails with an *Error when no server domain can match there. Any goroutine.
func (s *Set) NewServer(local, remote netip.AddrPort) (Machine, error) {
	if !s.Serves(local) {
		return nil, &Error{Blame: BlameConfig, Reason: ReasonRejected, Detail: fmt.Sprintf("no server domain for %v", local)}
	}
	m := &machine{set: s}
	m.t = transport{m: m, local: local, remote: remote}
	m.start(tls.Server(&m.t, s.answer))
	return m, nil
}

// choose finds the server domain for a ClientHello.
func (s *Set) choose(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	m := hello.Conn.(*transport).m
	if m.domain = s.answers(m.t.local, hello.ServerName); m.domain == nil {
		return nil, &Error{Blame: BlamePeer, Reason: ReasonRejected,
			Detail: fmt.Sprintf("no server domain for %v and the name %q", m.t.local, hello.ServerName)}
	}
	return m.domain.serverConfig(m, hello), nil
}

// ClientQuery is what a client domain is chosen by.
type ClientQuery struct {
	// Domain picks it by name; "" leaves the choice to the others.
	Domain string
	// SIPDomain is the host of the next hop's URI, an address or a name: what
	// the certificate must name, and the SNI if it is a name.
	SIPDomain string
	// Addr is the address that is dialled.
	Addr netip.AddrPort
}

// find gives the client domain of a query.
func (s *Set) find(q ClientQuery) (*domain, error) {
	if q.Domain != "" {
		d := s.byName[q.Domain]
		if d == nil {
			return nil, &Error{Blame: BlameConfig, Reason: ReasonNoDomain, Detail: fmt.Sprintf("there is no client domain %q", q.Domain)}
		}
		return d, nil
	}
	d := s.clients.find(q.Addr, strings.Trim(q.SIPDomain, "[]"))
	if d == nil {
		return nil, &Error{Blame: BlameConfig, Reason: ReasonNoDomain, Detail: fmt.Sprintf("no client domain for %v and the name %q", q.Addr, q.SIPDomain)}
	}
	return d, nil
}

// NewClient makes the machine that opens a handshake with a peer. It fails with
// an *Error when no client domain matches. Its first Handshake puts the
// ClientHello into Output. Any goroutine.
func (s *Set) NewClient(q ClientQuery) (Machine, error) {
	d, err := s.find(q)
	if err != nil {
		return nil, err
	}
	m := &machine{client: true, domain: d, set: s}
	m.t = transport{m: m, remote: q.Addr}
	m.start(tls.Client(&m.t, d.clientConfig(m, q)))
	return m, nil
}

// DomainInfo describes a domain for those who list them.
type DomainInfo struct {
	// Config is the domain as it was configured, without keys in memory.
	Config DomainConfig
	// NotBefore and NotAfter bound the time in which all of our certificates are
	// valid; zero when there are none.
	NotBefore, NotAfter time.Time
	// Verify, Require and VerifyDomain are the settings with their defaults.
	Verify, Require, VerifyDomain bool
	// Library is the name of the library whose machines the domain has.
	Library string
}

// Domains lists the domains, those of clients first, each role in the order of
// the configuration.
func (s *Set) Domains() []DomainInfo {
	list := make([]DomainInfo, 0, len(s.all))
	for _, d := range s.all {
		info := DomainInfo{Config: d.cfg, Verify: d.verify, Require: d.cfg.require(), VerifyDomain: d.cfg.verifyDomain(), Library: GoLibrary}
		info.NotBefore, info.NotAfter = d.validity()
		info.Config.Certificates = nil
		for _, k := range d.cfg.Certificates {
			k.PrivateKeyPEM, k.Signer = nil, nil
			info.Config.Certificates = append(info.Config.Certificates, k)
		}
		list = append(list, info)
	}
	return list
}
