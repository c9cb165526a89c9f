package script

import "sipreactor/tlsstate"

const (
	openssl       = "openssl"
	libcrypto     = "libcrypto"
	opensslModule = "tls_openssl" // the modules of OpenSIPS that stand for libraries
	wolfsslModule = "tls_wolfssl"
	noWolfSSL     = "there is no machine on wolfSSL, crypto/tls takes its place"
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
		c.TLSLibrary = tlsstate.GoLibrary
		c.rep.notef(c.places["tls_mgm/tls_library"], "tls_library: "+noWolfSSL)
		return ""
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
	if c.loaded(wolfsslModule) {
		c.rep.notef(c.places[loadPlace+wolfsslModule], wolfsslModule+": "+noWolfSSL)
	}
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
