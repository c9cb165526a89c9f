package tlsstate

import (
	"crypto/tls"
	"fmt"
	"strings"
)

// CipherDescription describes the cipher suite as OpenSSL's
// SSL_CIPHER_description does, in the columns of openssl ciphers -v, without
// the end of the line; "" before it is negotiated.
func (s *State) CipherDescription() string {
	name := s.CipherName()
	if name == "" {
		return ""
	}
	c := describe(s.Cipher, name)
	return fmt.Sprintf("%-30s %-7s Kx=%-8s Au=%-5s Enc=%-22s Mac=%s", name, c.version, c.exchange, c.auth, c.encryption, c.mac)
}

// columns are what a suite's description says besides its name.
type columns struct{ version, exchange, auth, encryption, mac string }

// describe reads them off the suite's name, which says it all.
func describe(id uint16, name string) columns {
	c := columns{version: "TLSv1.2", exchange: "RSA", auth: "RSA", mac: "AEAD"}
	bits := (&State{Cipher: id}).CipherBits()
	switch {
	case strings.Contains(name, "CHACHA20"):
		c.encryption = fmt.Sprintf("CHACHA20/POLY1305(%d)", bits)
	case strings.Contains(name, "GCM"):
		c.encryption = fmt.Sprintf("AESGCM(%d)", bits)
	default:
		c.encryption, c.mac = fmt.Sprintf("AES(%d)", bits), "SHA256"
	}
	switch id {
	case tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256:
		c.version, c.exchange, c.auth = "TLSv1.3", "any", "any"
		return c
	}
	// The version is the first one that has the suite, not that of the connection.
	ephemeral := strings.HasPrefix(name, "ECDHE-")
	if strings.HasSuffix(name, "-SHA") {
		c.mac, c.version = "SHA1", "SSLv3"
		if ephemeral {
			c.version = "TLSv1"
		}
	}
	if ephemeral {
		c.exchange = "ECDH"
	}
	if strings.HasPrefix(name, "ECDHE-ECDSA-") {
		c.auth = "ECDSA"
	}
	return c
}
