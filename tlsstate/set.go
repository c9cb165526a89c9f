package tlsstate

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"
)

// Set is the domains at one time. It does not change, so any goroutine may use
// it; a reload builds another.
type Set struct {
	servers, clients []*domain
	byName           map[string]*domain // client domains
	answer           *tls.Config        // chooses the server domain
	warnings         []string
}

// Build reads all that the configuration names and checks it. An error names
// the domain and what is wrong with it; there is no half set.
func Build(cfg Config) (*Set, error) {
	s := &Set{byName: make(map[string]*domain)}
	seen := make(map[string]bool)
	for i := range cfg.Domains {
		dc := cfg.Domains[i]
		key := dc.Role.String() + " domain " + dc.Name
		if seen[key] {
			return nil, fmt.Errorf("%s: declared twice", key)
		}
		seen[key] = true
		d, err := newDomain(dc)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		s.warnings = append(s.warnings, d.warnings...)
		if dc.Role == Server {
			s.servers = append(s.servers, d)
		} else {
			s.clients = append(s.clients, d)
			s.byName[dc.Name] = d
		}
	}
	s.answer = &tls.Config{GetConfigForClient: s.choose, MinVersion: tls.VersionTLS10}
	return s, nil
}

// Warnings are what somebody should look at, a line each: files that others can
// read, certificates that are not valid now.
func (s *Set) Warnings() []string { return s.warnings }

// choose finds the server domain for a ClientHello.
func (s *Set) choose(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	t, ok := hello.Conn.(*transport)
	if !ok {
		return nil, &Error{Blame: BlameUs, Reason: ReasonInternal, Detail: "not a machine's connection"}
	}
	name := hello.ServerName
	if name == "" {
		name = noSNI
	}
	d := best(s.servers, t.local, name)
	if d == nil {
		return nil, &Error{Blame: BlamePeer, Reason: ReasonRejected, Detail: fmt.Sprintf("no server domain for %v and name %q", t.local, name)}
	}
	t.m.domain = d
	return d.tls, nil
}

// NewServer makes the machine that answers a handshake at our address local.
// It fails with an *Error when no server domain can match there.
func (s *Set) NewServer(local, remote netip.AddrPort) (Machine, error) {
	m := &machine{}
	m.t = transport{m: m, local: local, remote: remote}
	config := s.answer
	if len(s.servers) == 1 && s.servers[0].matchesAll {
		// One domain for everybody: the choice is made.
		m.domain = s.servers[0]
		config = m.domain.tls
	}
	if len(s.servers) == 0 {
		return nil, &Error{Blame: BlameConfig, Reason: ReasonRejected, Detail: "there is no server domain"}
	}
	start(m, tls.Server(&m.t, config))
	return m, nil
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

// client finds the client domain of a query.
func (s *Set) client(q ClientQuery) (*domain, error) {
	if q.Domain != "" {
		d := s.byName[q.Domain]
		if d == nil {
			return nil, &Error{Blame: BlameConfig, Reason: ReasonUnknownThing, Detail: fmt.Sprintf("there is no client domain %q", q.Domain)}
		}
		return d, nil
	}
	d := best(s.clients, q.Addr, q.SIPDomain)
	if d == nil {
		return nil, &Error{Blame: BlameConfig, Reason: ReasonNoDomain, Detail: fmt.Sprintf("no client domain for %v and %q", q.Addr, q.SIPDomain)}
	}
	return d, nil
}

// NewClient makes the machine that opens a handshake with a peer. It fails with
// an *Error when no client domain matches. Its first Handshake puts the
// ClientHello into Output.
func (s *Set) NewClient(q ClientQuery) (Machine, error) {
	d, err := s.client(q)
	if err != nil {
		return nil, err
	}
	m := &machine{client: true, domain: d}
	m.t = transport{m: m, remote: q.Addr}
	start(m, tls.Client(&m.t, d.clientConfig(q)))
	return m, nil
}

// ClientIdentity tells which client domain a query chooses and the SHA-256 of
// the leaf certificate that it shows, zero if it shows none: who we are on a
// connection, for those who reuse connections.
func (s *Set) ClientIdentity(q ClientQuery) (domain string, leaf [32]byte, err error) {
	d, err := s.client(q)
	if err != nil {
		return "", leaf, err
	}
	return d.cfg.Name, d.leafSum, nil
}

// serverName is the SNI for a host: none for an address (RFC 6066 3).
func serverName(host string) string {
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ""
	}
	return strings.TrimSuffix(host, ".")
}
