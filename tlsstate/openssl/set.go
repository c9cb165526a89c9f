//go:build openssl

package openssl

import (
	"fmt"
	"io"
	"net/netip"
	"sync/atomic"
	"time"

	"sipreactor/tlsstate"
)

// Set is the domains at one time, on libssl. It does not change, so any
// goroutine may use it. What it holds in C is freed when neither it nor any of
// its machines is referred to any more.
type Set struct {
	plain   *tlsstate.Set // the same domains: lists them, finds them and judges by them
	servers map[string]*domain
	clients map[string]*domain
	tickets *tlsstate.TicketKeys
	keyLog  io.Writer
	logged  func(netip.AddrPort) bool
	secrets func() bool
	time    func() time.Time
	clock   bool // time is not the system's
}

var live atomic.Int64

// LiveMachines tells how many machines of this package are not stopped, for
// tests that nothing leaks. Any goroutine.
func LiveMachines() int64 { return live.Load() }

// Build reads all that the configuration names and checks it. An error names
// the domain and what is wrong with it; there is no half set. Mistakes are those
// that tlsstate.Build finds, and what libssl cannot do.
func Build(cfg tlsstate.Config) (*Set, error) {
	plain, err := tlsstate.Build(cfg)
	if err != nil {
		return nil, err
	}
	s := &Set{
		plain: plain, servers: make(map[string]*domain), clients: make(map[string]*domain),
		keyLog: cfg.KeyLog, logged: cfg.KeyLogFilter, secrets: cfg.Secrets, time: cfg.Time, clock: cfg.Time != nil,
		tickets: cfg.TicketKeys,
	}
	if s.time == nil {
		s.time = time.Now
	}
	if s.tickets == nil {
		s.tickets = tlsstate.NewTicketKeys()
	}
	for i := range cfg.Domains {
		dc := &cfg.Domains[i]
		d, err := newDomain(dc, s)
		if err != nil {
			return nil, fmt.Errorf("%v domain %s: %w", dc.Role, dc.Name, err)
		}
		if dc.Role == tlsstate.Server {
			s.servers[dc.Name] = d
		} else {
			s.clients[dc.Name] = d
		}
	}
	return s, nil
}

// Warnings are what somebody should look at, a line each. Any goroutine.
func (s *Set) Warnings() []string { return s.plain.Warnings() }

// Domains lists the domains, those of clients first. Any goroutine.
func (s *Set) Domains() []tlsstate.DomainInfo {
	list := s.plain.Domains()
	for i := range list {
		list[i].Library = LibraryName
	}
	return list
}

// ClientIdentity gives the identity of the client domain that a query chooses,
// as tlsstate's does. Any goroutine.
func (s *Set) ClientIdentity(q tlsstate.ClientQuery) (tlsstate.ClientIdentity, error) {
	return s.plain.ClientIdentity(q)
}

// NewServer makes the machine that answers a handshake at our address local.
// It fails with an *tlsstate.Error when no server domain can match there. Any
// goroutine.
func (s *Set) NewServer(local, remote netip.AddrPort) (tlsstate.Machine, error) {
	if !s.plain.Serves(local) {
		return nil, &tlsstate.Error{Blame: tlsstate.BlameConfig, Reason: tlsstate.ReasonRejected,
			Detail: fmt.Sprintf("no server domain for %v", local)}
	}
	live.Add(1)
	return &machine{set: s, local: local, remote: remote}, nil
}

// NewClient makes the machine that opens a handshake with a peer. It fails with
// an *tlsstate.Error when no client domain matches. Its first Handshake puts
// the ClientHello into Output. Any goroutine.
func (s *Set) NewClient(q tlsstate.ClientQuery) (tlsstate.Machine, error) {
	id, err := s.plain.ClientIdentity(q)
	if err != nil {
		return nil, err
	}
	live.Add(1)
	m := &machine{set: s, client: true, domain: s.clients[id.Domain], remote: q.Addr, host: q.Meant(), name: q.SNI()}
	if m.domain.sessions != nil {
		m.slot = q.SessionKey()
	}
	return m, nil
}

// logs tells whether the secrets of a peer's connection are wanted.
func (s *Set) logs(peer netip.AddrPort) bool {
	return s.keyLog != nil && (s.logged == nil || s.logged(peer))
}
