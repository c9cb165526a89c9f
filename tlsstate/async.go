package tlsstate

import (
	"crypto"
	"crypto/tls"
	"errors"
	"io"
	"sync/atomic"
)

// AsyncSigner is a private key that signs while its caller does other things:
// on threads of its own, in a token, across a network. A KeyPair's Signer, or
// what Config.Signer gives, may be one.
type AsyncSigner interface {
	crypto.Signer
	// SignAsync begins the signature that Sign makes. The digest is the caller's
	// again when it returns. done gets the signature, or why there is none: once,
	// on any goroutine, perhaps before SignAsync returns. A key that may never
	// answer has to give up by itself: no clock of the peer's runs meanwhile.
	SignAsync(digest []byte, opts crypto.SignerOpts, done func(signature []byte, err error))
}

// ErrWantSignature says that a machine waits for an AsyncSigner. It is no
// failure and always this very value.
var ErrWantSignature = errors.New("tlsstate: a signature is being made")

// AsyncMachine is a Machine whose owner need not wait for an AsyncSigner.
type AsyncMachine interface {
	Machine
	// OnSigned, called before the first Handshake, has Handshake return
	// ErrWantSignature where it would wait. signed is called then when it can go
	// on: once, on any goroutine, perhaps before Handshake returns, or after Stop.
	OnSigned(signed func())
}

var _ AsyncMachine = (*machine)(nil)

func (m *machine) OnSigned(signed func()) { m.signed = signed }

// asyncKey is an AsyncSigner as the key of one connection: who waits for it
// parks the handshake's coroutine.
type asyncKey struct {
	AsyncSigner
	m *machine
}

// withKey gives a pair whose key parks the machine's handshake, if the key can
// do without it and the machine's owner, too.
func (m *machine) withKey(pair *tls.Certificate) *tls.Certificate {
	key, ok := pair.PrivateKey.(AsyncSigner)
	if !ok || m.signed == nil {
		return pair
	}
	own := *pair
	own.PrivateKey = &asyncKey{key, m}
	return &own
}

// Sign has the signature made, and parks the coroutine meanwhile.
func (k *asyncKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s, signed := new(signature), k.m.signed
	k.SignAsync(digest, opts, func(b []byte, err error) {
		s.bytes, s.err = b, err
		if s.stage.Swap(signatureMade) == signatureAwaited {
			signed()
		}
	})
	if s.stage.CompareAndSwap(signatureBegun, signatureAwaited) {
		k.m.signature = s
		for !s.made() {
			if !k.m.t.yield(struct{}{}) {
				return nil, errStopped
			}
		}
		k.m.signature = nil
	}
	return s.bytes, s.err
}

// signature is one that is being made.
type signature struct {
	stage atomic.Int32
	bytes []byte // when it is made
	err   error
}

const (
	signatureBegun int32 = iota
	signatureAwaited
	signatureMade
)

func (s *signature) made() bool { return s.stage.Load() == signatureMade }
