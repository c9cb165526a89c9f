package script

import "sipreactor/tlsstate"

const (
	openssl       = "openssl"
	libcrypto     = "libcrypto"
	opensslModule = "tls_openssl" // the module of OpenSIPS that stands for it
	// howToBuild tells what to do about a program without libssl.
	howToBuild = `apt-get install libssl-dev, then "CGO_ENABLED=1 go build -tags openssl ./cmd/sipreactor"`
)

// setTLSLibrary takes tls_library. What this program was built with decides
// what can be had.
func setTLSLibrary(c *settings, name string) string {
	switch name {
	case "auto":
		c.TLSLibrary = ""
		return ""
	case "wolfssl":
		return `cannot be "wolfssl": there is no machine on wolfSSL; "auto", "go", "libcrypto" and "openssl" are known`
	case tlsstate.GoLibrary, openssl, libcrypto:
		if _, ok := tlsstate.LookupLibrary(name); !ok {
			return `cannot be "` + name + `": this program was built without libssl; build one that has it (` + howToBuild +
				`), or take "auto" or "go"`
		}
		c.TLSLibrary = name
		return ""
	default:
		return `is "auto", "go", "libcrypto" or "openssl"`
	}
}

// finishTLSLibrary decides what auto comes to: the library whose module is
// loaded, where this program has it, else crypto/tls. A module that cannot be
// had is no error: the configuration is OpenSIPS', and TLS is TLS.
func (c *settings) finishTLSLibrary() {
	if c.TLSLibrary != "" {
		return
	}
	c.TLSLibrary = tlsstate.GoLibrary
	if !c.loaded(opensslModule) {
		return
	}
	if _, ok := tlsstate.LookupLibrary(openssl); ok {
		c.TLSLibrary = openssl
		return
	}
	c.rep.notef(c.places[loadPlace+opensslModule], "%s: this program was built without libssl, crypto/tls takes its place", opensslModule)
}
