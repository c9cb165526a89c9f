package tlsstate

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"sipreactor/tlsstate/regular"
)

// readPair reads a certificate chain and its key and sees that they belong
// together; index tells which of the domain's pairs it is. What is odd but usable becomes a warning.
func (d *domain) readPair(index int, k *KeyPair) (pair tls.Certificate, err error) {
	chain, key := k.CertificatePEM, k.PrivateKeyPEM
	certName, keyName := "certificate", "private_key"
	var missing [2]error
	if k.CertificateFile != "" {
		certName += " " + k.CertificateFile
		if chain, err = regular.Read(k.CertificateFile); err != nil {
			missing[0] = of("certificate", index, fmt.Errorf("certificate: %w", err))
		}
	}
	if k.PrivateKeyFile != "" {
		keyName += " " + k.PrivateKeyFile
		if key, err = regular.Read(k.PrivateKeyFile); err != nil {
			missing[1] = of("private_key", index, fmt.Errorf("private_key: %w", err))
		}
		d.checkMode(k.PrivateKeyFile)
	}
	if err = errors.Join(missing[:]...); err != nil {
		return pair, err
	}
	if pair.Certificate, pair.Leaf, err = parseChain(chain); err != nil {
		return pair, of("certificate", index, fmt.Errorf("%s: %w", certName, err))
	}
	if k.Signer != nil {
		if !belongs(k.Signer, pair.Leaf) {
			return pair, of("certificate", index, fmt.Errorf("%s: the signer's key is not the certificate's", certName))
		}
		pair.PrivateKey = k.Signer
	} else {
		if encrypted(key) {
			return pair, of("private_key", index,
				fmt.Errorf("%s: is encrypted with a passphrase, which nobody could type; openssl pkey -in FILE -out FILE takes it off", keyName))
		}
		if pair, err = tls.X509KeyPair(chain, key); err != nil {
			return pair, of("private_key", index, fmt.Errorf("%s, %s: %w", certName, keyName, err))
		}
		if pair.PrivateKey, err = d.set.signerOf(pair.PrivateKey); err != nil {
			return pair, of("private_key", index, fmt.Errorf("%s: %w", keyName, err))
		}
	}
	if err := CheckKey(pair.Leaf); err != nil {
		return pair, of("certificate", index, fmt.Errorf("%s: %w", certName, err))
	}
	d.checkValidity(certName, pair.Leaf)
	return pair, nil
}

// CheckKey is the error that no peer would take the key of a certificate.
func CheckKey(leaf *x509.Certificate) error {
	if weak, ok := leaf.PublicKey.(*rsa.PublicKey); ok && weak.N.BitLen() < minRSABits {
		return fmt.Errorf("its RSA key has %d bits, and no peer takes less than %d", weak.N.BitLen(), minRSABits)
	}
	return nil
}

// minRSABits is the size below which neither library signs with an RSA key.
const minRSABits = 1024

// signerOf gives a private key, or what signs with it.
func (s *Set) signerOf(key crypto.PrivateKey) (crypto.PrivateKey, error) {
	if signer, ok := key.(crypto.Signer); ok && s.signer != nil {
		return s.signer(signer)
	}
	return key, nil
}

// checkMode warns of a private key that everybody can read.
func (d *domain) checkMode(file string) {
	if info, err := os.Stat(file); err == nil && info.Mode()&0o007 != 0 {
		d.warn("private_key %s can be read by everybody on this machine (mode %04o)", file, info.Mode().Perm())
	}
}

// checkValidity warns of a certificate that peers will not accept today.
func (d *domain) checkValidity(name string, leaf *x509.Certificate) {
	switch now := d.set.time(); {
	case now.After(leaf.NotAfter):
		d.warn("%s expired at %v", name, leaf.NotAfter)
	case now.Before(leaf.NotBefore):
		d.warn("%s is not valid before %v", name, leaf.NotBefore)
	}
}

// parseChain gives the certificates of a PEM text, leaf first.
func parseChain(text []byte) (chain [][]byte, leaf *x509.Certificate, err error) {
	other := ""
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			chain = append(chain, block.Bytes)
		} else {
			other = block.Type
		}
	}
	switch {
	case len(chain) > 0:
	case strings.HasSuffix(other, "PRIVATE KEY"):
		return nil, nil, errors.New("holds a private key and no certificate")
	default:
		return nil, nil, errors.New("holds no certificate in PEM")
	}
	leaf, err = x509.ParseCertificate(chain[0])
	return chain, leaf, err
}

// belongs tells whether a key is the certificate's.
func belongs(key crypto.Signer, leaf *x509.Certificate) bool {
	pub, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && pub.Equal(key.Public())
}

// encrypted tells whether a PEM key needs a passphrase.
func encrypted(key []byte) bool {
	return bytes.Contains(key, []byte("BEGIN ENCRYPTED PRIVATE KEY")) ||
		bytes.Contains(key, []byte("Proc-Type: 4,ENCRYPTED"))
}

// ecdsaFirst sorts pairs by what a signature costs, otherwise leaves them in
// their order.
func ecdsaFirst(pairs []tls.Certificate) {
	cost := func(c tls.Certificate) int {
		switch c.Leaf.PublicKey.(type) {
		case *rsa.PublicKey:
			return 1
		case ed25519.PublicKey:
			return 2 // cheap as ECDSA, but peers without it fail late
		default:
			return 0
		}
	}
	slices.SortStableFunc(pairs, func(a, b tls.Certificate) int { return cost(a) - cost(b) })
}

// identityOf is who we are by our certificates: the SHA-256 of the leaf, or of
// the leaves' when there are several.
func identityOf(pairs []tls.Certificate) [32]byte {
	sum := sha256.Sum256(pairs[0].Leaf.Raw)
	if len(pairs) == 1 {
		return sum
	}
	h := sha256.New()
	for i := range pairs {
		sum = sha256.Sum256(pairs[i].Leaf.Raw)
		h.Write(sum[:])
	}
	return [32]byte(h.Sum(nil))
}

// choosePair gives the first pair that a client can check, and the first one of
// all when none is: its signature fails with an error that says so. The name
// that the client asks for chose the domain already and plays no part.
func choosePair(pairs []tls.Certificate, hello *tls.ClientHelloInfo) *tls.Certificate {
	if len(pairs) > 1 {
		nameless := *hello
		nameless.ServerName = ""
		for i := range pairs {
			if nameless.SupportsCertificate(&pairs[i]) == nil {
				return &pairs[i]
			}
		}
	}
	return &pairs[0]
}

// showCertificate gives the certificate that we show a server that asks for
// one. Servers name authorities that they trust, often not all of them: what we
// have is shown in any case, as OpenSSL does.
func (d *domain) showCertificate(req *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	any := *req
	any.AcceptableCAs = nil
	for i := range d.certs {
		if any.SupportsCertificate(&d.certs[i]) == nil {
			return &d.certs[i], nil
		}
	}
	return new(tls.Certificate), nil
}
