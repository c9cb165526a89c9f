package tlsstate

import (
	"crypto/sha256"
	"fmt"
)

// ClientIdentity is who we are on a connection that we open, and what we demand
// of the peer there: what has to be the same before a connection may be used for
// another send. Two are compared with ==.
type ClientIdentity struct {
	// Domain is the name of the client domain.
	Domain string
	// Leaf is the SHA-256 of the leaf certificate that it shows, zero if it has
	// none; of a domain with several certificates one sum over all leaves.
	Leaf [32]byte
	// Verify tells that the peer's chain is checked (verify_cert), VerifyName that
	// its certificate must name the SIP domain that is meant (verify_domain).
	Verify, VerifyName bool
	// Trust is a fingerprint of what the chain is checked by: authorities, usages,
	// revocation. Zero without Verify.
	Trust [32]byte
}

// SameSelf tells whether two identities show a peer the same of us.
func (i *ClientIdentity) SameSelf(o *ClientIdentity) bool {
	return i.Domain == o.Domain && i.Leaf == o.Leaf
}

// ClientIdentity gives the identity of the client domain that a query chooses.
// It fails as NewClient does. Any goroutine.
func (s *Set) ClientIdentity(q ClientQuery) (ClientIdentity, error) {
	d, err := s.find(q)
	if err != nil {
		return ClientIdentity{}, err
	}
	return d.known, nil
}

// asClient gives what ClientIdentity tells of a client domain.
func (d *domain) asClient() ClientIdentity {
	id := ClientIdentity{Domain: d.cfg.Name, Leaf: d.identity, Verify: d.verify, VerifyName: d.verify && d.cfg.verifyDomain()}
	if !d.verify {
		return id
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %t %t %d\n", d.usages.names, d.revoked != nil, d.cfg.CRLCheckAll, len(d.roots.sums))
	for i := range d.roots.sums {
		h.Write(d.roots.sums[i][:])
	}
	h.Sum(id.Trust[:0])
	return id
}

// SameParty tells whether the certificates of two peers name a SIP domain in
// common (RFC 5922 7.1), so that the one may stand in for the other. That they
// are to be believed is Verified.
func (s *State) SameParty(o *State) bool {
	if len(o.Peer) == 0 {
		return false
	}
	for _, name := range sipDomains(o.Peer[0], o.commonName()) {
		if s.SpeaksFor(name) {
			return true
		}
	}
	return false
}
