// Package tls_wolfssl is OpenSIPS' module tls_wolfssl, in whose place crypto/tls
// stands here.
package tls_wolfssl

import "sipreactor/reactor/script"

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	return &script.Module{
		Name: "tls_wolfssl",
		Help: "Has TLS computed by wolfSSL.",
		Note: "there is no machine on wolfSSL, crypto/tls takes its place",
	}
}
