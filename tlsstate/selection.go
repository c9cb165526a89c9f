package tlsstate

import (
	"net/netip"
	"strings"
)

// What follows is for machines of other libraries: the choice of domains and the
// checks that are the same for all of them.

// Serves tells whether a server domain can match at our address, whatever name
// the client sends. Any goroutine.
func (s *Set) Serves(local netip.AddrPort) bool { return s.servers.serves(local) }

// ServerDomain gives the name of the server domain for our address and the
// client's SNI, "" for none; false when there is no domain for them. Any
// goroutine.
func (s *Set) ServerDomain(local netip.AddrPort, sni string) (name string, ok bool) {
	d := s.answers(local, sni)
	if d == nil {
		return "", false
	}
	return d.cfg.Name, true
}

// answers finds the server domain for an address and a name, "" for none. An
// address is no name (RFC 6066 3), and the dot of the root is no part of one.
func (s *Set) answers(local netip.AddrPort, sni string) *domain {
	sni = plainName(sni)
	if _, isAddr := parseHost(sni); sni == "" || isAddr {
		sni = noSNI
	}
	return s.servers.find(local, sni)
}

// lookup gives a domain by role and name; nil for one that does not exist.
func (s *Set) lookup(role Role, name string) *domain {
	if role == Client {
		return s.byName[name]
	}
	for _, d := range s.all {
		if d.cfg.Role == role && d.cfg.Name == name {
			return d
		}
	}
	return nil
}

// Policy is a fingerprint of what a domain demands of its peers: a ticket is
// good only for the policy under which it was made. Zero for a domain that does
// not exist. Any goroutine.
func (s *Set) Policy(role Role, domain string) [32]byte {
	if d := s.lookup(role, domain); d != nil {
		return d.policy()
	}
	return [32]byte{}
}

// Judge makes a state's Verdict one of its domain in the set, for chains that
// nobody checked while the connection was made. It belongs to whoever makes the
// state, before others have it.
func (s *Set) Judge(state *State) {
	role := Server
	if state.Client {
		role = Client
	}
	state.judge = s.lookup(role, state.Domain)
}

// SNI is the server name that a client sends: none for an address (RFC 6066
// 3).
func (q *ClientQuery) SNI() string {
	if _, err := netip.ParseAddr(strings.Trim(q.SIPDomain, "[]")); err == nil {
		return ""
	}
	return strings.TrimSuffix(q.SIPDomain, ".")
}

// Meant is whom a client means to reach and the certificate must name: the SIP
// domain of the URI, not what DNS made of it; without one, the address.
func (q *ClientQuery) Meant() string {
	if q.SIPDomain != "" {
		return q.SIPDomain
	}
	return q.Addr.Addr().String()
}

// SessionKey tells apart the peers that a client remembers sessions of, by name
// and address.
func (q *ClientQuery) SessionKey() string {
	return strings.ToLower(q.SIPDomain) + " " + q.Addr.String()
}

// Revocations are the lists of a domain's crl_dir that may be used, DER. Any
// goroutine.
func (s *Set) Revocations(role Role, domain string) (lists [][]byte) {
	d := s.lookup(role, domain)
	if d == nil || d.revoked == nil {
		return nil
	}
	for _, l := range d.revoked.all {
		if l.unusable == "" {
			lists = append(lists, l.list.Raw)
		}
	}
	return lists
}

// Refusal says in words why a state's domain does not take its peer's chain; ""
// when it does. Another library's own words tell less.
func (s *State) Refusal() string {
	if s.judge == nil || len(s.Peer) == 0 {
		return ""
	}
	if _, refused := s.judge.verifyChain(s.Peer); refused != nil {
		return refused.detail
	}
	return ""
}

// Names lists what the peer's certificate names, for people.
func (s *State) Names() string {
	if len(s.Peer) == 0 {
		return "nothing"
	}
	return identities(s.Peer[0], s.commonName())
}
