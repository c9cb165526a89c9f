//go:build openssl

package libcrypto

/*
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include "pool.h"

static EVP_PKEY *key_read(const unsigned char *der, long len)
{
	return d2i_AutoPrivateKey(NULL, &der, len);
}
*/
import "C"

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"runtime"
)

// key is a private key in libcrypto.
type key struct {
	public crypto.PublicKey
	pkey   *C.EVP_PKEY
	size   int // of the longest signature, in bytes
	rsa    bool
}

// Signer gives a signer for an RSA or ECDSA key that signs in libcrypto. It may
// be called by any number of goroutines at once. Keys of other kinds are given
// back as they are. The copy in C goes away with the signer.
func Signer(k crypto.Signer) (crypto.Signer, error) {
	_, isRSA := k.(*rsa.PrivateKey)
	if _, isECDSA := k.(*ecdsa.PrivateKey); !isRSA && !isECDSA {
		return k, nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	pkey := C.key_read((*C.uchar)(&der[0]), C.long(len(der)))
	if pkey == nil {
		C.ERR_clear_error()
		return nil, errors.New("libcrypto: cannot read the key")
	}
	s := &key{public: k.Public(), pkey: pkey, size: int(C.EVP_PKEY_get_size(pkey)), rsa: isRSA}
	runtime.AddCleanup(s, func(p *C.EVP_PKEY) { C.EVP_PKEY_free(p) }, pkey)
	if isRSA {
		return &slowKey{s}, nil
	}
	return s, nil
}

// Public is the public key.
func (k *key) Public() crypto.PublicKey { return k.public }

// Sign signs a digest as crypto/tls asks for it: PKCS #1 v1.5 or PSS with a
// salt as long as the digest for RSA, ASN.1 for ECDSA. The randomness is
// libcrypto's own.
func (k *key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	md, padding, err := k.scheme(digest, opts)
	if err != nil {
		return nil, err
	}
	sig := make([]byte, k.size)
	n := C.size_t(len(sig))
	ok := C.key_sign(k.pkey, md, padding, (*C.uchar)(&digest[0]), C.size_t(len(digest)), (*C.uchar)(&sig[0]), &n)
	runtime.KeepAlive(k)
	if ok == 0 {
		return nil, errNoSignature
	}
	return sig[:n], nil
}

// scheme gives libcrypto's names of what crypto/tls asks for.
func (k *key) scheme(digest []byte, opts crypto.SignerOpts) (md *C.EVP_MD, padding C.int, err error) {
	md = digests[opts.HashFunc()]
	if md == nil || len(digest) != opts.HashFunc().Size() {
		return nil, 0, fmt.Errorf("libcrypto: a digest of %d bytes for %v", len(digest), opts.HashFunc())
	}
	if k.rsa {
		padding = C.RSA_PKCS1_PADDING
	}
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		if !k.rsa || pss.SaltLength != rsa.PSSSaltLengthEqualsHash && pss.SaltLength != len(digest) {
			return nil, 0, errors.New("libcrypto: PSS is for RSA, with a salt as long as the digest")
		}
		padding = C.RSA_PKCS1_PSS_PADDING
	}
	return md, padding, nil
}

// slowKey is a key whose signatures are worth a thread of C's.
type slowKey struct{ *key }

// SignAsync makes the signature of Sign on a thread of C's.
func (k *slowKey) SignAsync(digest []byte, opts crypto.SignerOpts, d func(signature []byte, err error)) {
	md, padding, err := k.scheme(digest, opts)
	if err != nil {
		d(nil, err)
		return
	}
	t := C.task_new(k.pkey, md, padding, (*C.uchar)(&digest[0]), C.size_t(len(digest)), C.size_t(k.size))
	runtime.KeepAlive(k)
	if t == nil {
		d(nil, errNoSignature)
		return
	}
	if !pool.submit(t, d) {
		C.task_free(t)
		d(k.Sign(nil, digest, opts))
	}
}

// digests are those that TLS signs.
var digests = map[crypto.Hash]*C.EVP_MD{
	crypto.SHA1:   C.EVP_sha1(),
	crypto.SHA256: C.EVP_sha256(),
	crypto.SHA384: C.EVP_sha384(),
	crypto.SHA512: C.EVP_sha512(),
}
