// Package tls_openssl is OpenSIPS' module tls_openssl: TLS by libssl, where this
// program was built with it.
package tls_openssl

import (
	"sipreactor/reactor/script"
	"sipreactor/tlsstate"
)

// New makes the module for a configuration.
func New(cfg *script.Config) *script.Module {
	return &script.Module{
		Name:    "tls_openssl",
		AtStart: true,
		Help:    "Has TLS computed by libssl, where this program was built with it.",
		// A library that cannot be had is no error: TLS is TLS.
		Check: func(l *script.Loading) {
			if cfg.TLSLibrary != "" {
				return
			}
			if _, ok := tlsstate.LookupLibrary("openssl"); ok {
				cfg.TLSLibrary = "openssl"
				return
			}
			l.Notef(l.Place(""), "tls_openssl: this program was built without libssl, crypto/tls takes its place")
		},
	}
}
