//go:build openssl

package libcrypto

/*
#cgo LDFLAGS: -lcrypto
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static EVP_PKEY *key_read(const unsigned char *der, long len)
{
	return d2i_AutoPrivateKey(NULL, &der, len);
}

// key_sign signs a digest. padding is one of RSA's, 0 for other keys; a PSS salt is as long as the digest.
static int key_sign(EVP_PKEY *key, const EVP_MD *md, int padding, const unsigned char *digest, size_t n,
	unsigned char *sig, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	int ok = ctx && EVP_PKEY_sign_init(ctx) > 0 &&
		(!padding || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0) &&
		(padding != RSA_PKCS1_PSS_PADDING || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0) &&
		EVP_PKEY_CTX_set_signature_md(ctx, md) > 0 &&
		EVP_PKEY_sign(ctx, sig, len, digest, n) > 0;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
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
	return s, nil
}

// Public is the public key.
func (k *key) Public() crypto.PublicKey { return k.public }

// Sign signs a digest as crypto/tls asks for it: PKCS #1 v1.5 or PSS with a
// salt as long as the digest for RSA, ASN.1 for ECDSA. The randomness is
// libcrypto's own.
func (k *key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	md := digests[opts.HashFunc()]
	if md == nil || len(digest) != opts.HashFunc().Size() {
		return nil, fmt.Errorf("libcrypto: a digest of %d bytes for %v", len(digest), opts.HashFunc())
	}
	padding := C.int(0)
	if k.rsa {
		padding = C.RSA_PKCS1_PADDING
	}
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		if !k.rsa || pss.SaltLength != rsa.PSSSaltLengthEqualsHash && pss.SaltLength != len(digest) {
			return nil, errors.New("libcrypto: PSS is for RSA, with a salt as long as the digest")
		}
		padding = C.RSA_PKCS1_PSS_PADDING
	}
	sig := make([]byte, k.size)
	n := C.size_t(len(sig))
	ok := C.key_sign(k.pkey, md, padding, (*C.uchar)(&digest[0]), C.size_t(len(digest)), (*C.uchar)(&sig[0]), &n)
	runtime.KeepAlive(k)
	if ok == 0 {
		return nil, errors.New("libcrypto: the key does not sign")
	}
	return sig[:n], nil
}

// digests are those that TLS signs.
var digests = map[crypto.Hash]*C.EVP_MD{
	crypto.SHA1:   C.EVP_sha1(),
	crypto.SHA256: C.EVP_sha256(),
	crypto.SHA384: C.EVP_sha384(),
	crypto.SHA512: C.EVP_sha512(),
}
