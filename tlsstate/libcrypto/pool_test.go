//go:build openssl

package libcrypto_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"runtime"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/libcrypto"
)

// signed is what SignAsync has given.
type signed struct {
	sig []byte
	err error
}

func begin(s crypto.Signer, digest []byte, opts crypto.SignerOpts) chan signed {
	c := make(chan signed, 1)
	s.(tlsstate.AsyncSigner).SignAsync(digest, opts, func(sig []byte, err error) { c <- signed{sig, err} })
	return c
}

// Signatures of several keys, many under way at once and the keys let go of meanwhile, each come to whom they belong to.
func TestSignAsync(t *testing.T) {
	before := goleak.IgnoreCurrent()
	keys := []*rsa.PrivateKey{newKey(t, "rsa").(*rsa.PrivateKey), newKey(t, "rsa").(*rsa.PrivateKey)}
	pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA384}
	var all sync.WaitGroup
	for i := range 64 {
		key := keys[i%len(keys)]
		all.Go(func() {
			s := signer(t, key) // each has its copy in C, which nobody holds when this has begun
			digest := digestOf(crypto.SHA256)
			one := begin(s, digest, crypto.SHA256)
			clear(digest)
			other := begin(s, digestOf(crypto.SHA384), pss)
			runtime.GC()
			if got := <-one; got.err != nil || rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digestOf(crypto.SHA256), got.sig) != nil {
				t.Errorf("PKCS #1: %v", got.err)
			}
			if got := <-other; got.err != nil || rsa.VerifyPSS(&key.PublicKey, crypto.SHA384, digestOf(crypto.SHA384), got.sig, pss) != nil {
				t.Errorf("PSS: %v", got.err)
			}
		})
	}
	all.Wait()
	goleak.VerifyNone(t, before) // nobody waits in Go while nothing is under way
	if got := <-begin(signer(t, keys[0]), digestOf(crypto.SHA256), crypto.SHA256); got.err != nil {
		t.Error("after a pause:", got.err)
	}
}

// What cannot be signed is refused at once. Quick keys have no need of threads.
func TestSignAsyncRefuses(t *testing.T) {
	onRSA := signer(t, newKey(t, "rsa"))
	for _, digest := range [][]byte{nil, []byte("short")} {
		if got := <-begin(onRSA, digest, crypto.SHA256); got.err == nil {
			t.Errorf("%q is signed: %x", digest, got.sig)
		}
	}
	// Too short a modulus for this digest with PSS: libcrypto itself refuses.
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	onSmall, err := libcrypto.Signer(small)
	if err != nil {
		t.Fatal(err)
	}
	pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA512}
	if got := <-begin(onSmall, digestOf(crypto.SHA512), pss); got.err == nil {
		t.Errorf("a signature too long for its key: %x", got.sig)
	}
	if _, ok := signer(t, newKey(t, "ecdsa")).(tlsstate.AsyncSigner); ok {
		t.Error("ECDSA goes to a thread")
	}
}
