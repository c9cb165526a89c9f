package reuse

import (
	"net/netip"

	"sipreactor/tlsstate"
)

// Want is what a send wants of the peer, and of us.
type Want struct {
	// CheckCert asks that we show a peer on a connection of ours what Self shows.
	CheckCert bool
	// Self is the client domain of the send; zero for plain TCP.
	Self tlsstate.ClientIdentity
	// Name is the SIP domain that the send means, as PlainName writes it. It counts
	// only where Self verifies.
	Name string
}

// Proof is what a connection was made with, and what its peer's certificate was asked
// for. The zero value is that of an accepted connection.
type Proof struct {
	Self  tlsstate.ClientIdentity // the client domain that a connection was dialled with
	Meant string                  // the SIP domain that it was dialled for, as PlainName writes it

	names names
}

// Peer is what is known of who is at the other end.
type Peer struct {
	Outbound  bool // we have dialled
	From      netip.Addr
	Shown     *tlsstate.State // what the handshake says; nil: there was none, or it is not done
	UserKnown bool            // who uses the connection has told who it is
}

// SameSelf reports whether we show the peer what the send wants to show. On an
// accepted connection nobody asks.
func (p *Proof) SameSelf(w *Want, outbound bool) bool {
	return !w.CheckCert || !outbound || p.Self.SameSelf(&w.Self)
}

// Vouched reports whether the peer was verified, if the send verifies, and for the
// SIP domain that it means: on a connection of ours by the handshake, under the
// demands that the send has, or because the same leaf names that domain, too; on an
// accepted one by the certificate that the peer showed, or as that of a user who is
// known, if no name is meant but the address it came from. What came from the peer's
// address and showed nothing has proved nothing.
func (p *Proof) Vouched(w *Want, peer *Peer) bool {
	switch {
	case !w.Self.Verify:
		return true
	case !peer.Outbound:
		if peer.UserKnown && w.Name == peer.From.Unmap().String() {
			return true
		}
		return peer.Shown != nil && peer.Shown.Verified && p.names.has(peer.Shown, w.Name)
	case !p.Self.Verify || p.Self.Trust != w.Self.Trust:
		return false
	case !w.Self.VerifyName, p.Self.VerifyName && p.Meant == w.Name:
		return true // so its handshake says, or will
	default:
		return peer.Shown != nil && p.names.has(peer.Shown, w.Name)
	}
}

// Succeeds reports whether a younger connection takes an alias over from the one that
// holds it, by what their peers have shown; nil = nothing. Where the holder's
// certificate was verified, only one whose verified certificate names a SIP domain of
// that one does.
func Succeeds(holder, claimant *tlsstate.State) bool {
	if holder == nil || !holder.Verified {
		return true
	}
	return claimant != nil && claimant.Verified && claimant.SameParty(holder)
}
