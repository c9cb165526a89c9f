//go:build openssl

package libcrypto_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"runtime"
	"sync"
	"testing"

	"sipreactor/tlsstate/libcrypto"
)

func newKey(t testing.TB, kind string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	default:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signer(t testing.TB, key crypto.Signer) crypto.Signer {
	t.Helper()
	s, err := libcrypto.Signer(key)
	if err != nil {
		t.Fatal(err)
	}
	if s == key {
		t.Fatal("the key was given back")
	}
	return s
}

func digestOf(h crypto.Hash) []byte {
	d := h.New()
	d.Write([]byte("a handshake"))
	return d.Sum(nil)
}

// Go's own verification passes what libcrypto signed, from many goroutines at once and with collections between.
func TestSignatures(t *testing.T) {
	rsaKey, ecKeys := newKey(t, "rsa").(*rsa.PrivateKey), []crypto.Signer{newKey(t, "ecdsa"), newKey(t, "p384")}
	onRSA := signer(t, rsaKey)
	var work sync.WaitGroup
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		work.Go(func() {
			for range 20 {
				sig, err := onRSA.Sign(nil, digestOf(h), h)
				if err != nil || rsa.VerifyPKCS1v15(&rsaKey.PublicKey, h, digestOf(h), sig) != nil {
					t.Errorf("PKCS #1 with %v: %v", h, err)
				}
				pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: h}
				sig, err = onRSA.Sign(nil, digestOf(h), pss)
				if err != nil || rsa.VerifyPSS(&rsaKey.PublicKey, h, digestOf(h), sig, pss) != nil {
					t.Errorf("PSS with %v: %v", h, err)
				}
				for _, k := range ecKeys {
					sig, err = signer(t, k).Sign(nil, digestOf(h), h)
					if err != nil || !ecdsa.VerifyASN1(k.Public().(*ecdsa.PublicKey), digestOf(h), sig) {
						t.Errorf("ECDSA with %v: %v", h, err)
					}
				}
				runtime.GC()
			}
		})
	}
	work.Wait()
}

func TestSignerRefuses(t *testing.T) {
	onRSA, onEC := signer(t, newKey(t, "rsa")), signer(t, newKey(t, "ecdsa"))
	pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	for name, do := range map[string]func() ([]byte, error){
		"a short digest": func() ([]byte, error) { return onRSA.Sign(nil, []byte("short"), crypto.SHA256) },
		"no digest":      func() ([]byte, error) { return onRSA.Sign(nil, nil, crypto.SHA256) },
		"no hash":        func() ([]byte, error) { return onEC.Sign(nil, digestOf(crypto.SHA256), crypto.Hash(0)) },
		"PSS with ECDSA": func() ([]byte, error) { return onEC.Sign(nil, digestOf(crypto.SHA256), pss) },
		"an unusual salt": func() ([]byte, error) {
			return onRSA.Sign(nil, digestOf(crypto.SHA256), &rsa.PSSOptions{SaltLength: 7, Hash: crypto.SHA256})
		},
	} {
		if sig, err := do(); err == nil {
			t.Errorf("%s is signed: %x", name, sig)
		}
	}
}

// What libcrypto has no use for stays as it is.
func TestOtherKeys(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := libcrypto.Signer(key)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := s.(ed25519.PrivateKey); !ok || !got.Equal(key) {
		t.Errorf("%T", s)
	}
}
