//go:build openssl

package openssl

// #include <openssl/crypto.h>
import "C"

import "sipreactor/tlsstate"

// LibraryName is what tls_library calls this package's machines.
const LibraryName = "openssl"

func init() {
	tlsstate.RegisterLibrary(tlsstate.Library{
		Name:    LibraryName,
		Version: C.GoString(C.OpenSSL_version(C.OPENSSL_VERSION)), // of the library that is linked now, not of the headers
		Build: func(cfg tlsstate.Config) (tlsstate.Domains, error) {
			set, err := Build(cfg)
			if err != nil {
				return nil, err // no nil set in an interface that is not nil
			}
			return set, nil
		},
	})
}
