package tlsstate_test

import (
	"crypto"
	"crypto/ecdsa"
	"io"
)

// countingSigner is a key that is somewhere else and may fail there.
type countingSigner struct {
	*ecdsa.PrivateKey
	calls  int
	err    error
	panics bool
}

// Sign counts and fails as asked.
func (s *countingSigner) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.calls++
	if s.panics {
		panic("the token's driver is broken")
	}
	if s.err != nil {
		return nil, s.err
	}
	return s.PrivateKey.Sign(rand, digest, opts)
}
