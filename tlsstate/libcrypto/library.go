//go:build openssl

package libcrypto

// #include <openssl/crypto.h>
import "C"

import (
	"runtime"

	"sipreactor/tlsstate"
)

// LibraryName is what tls_library calls crypto/tls with this package's keys.
const LibraryName = "libcrypto"

func init() {
	tlsstate.RegisterLibrary(tlsstate.Library{
		Name:    LibraryName,
		Version: "crypto/tls of " + runtime.Version() + ", keys in " + C.GoString(C.OpenSSL_version(C.OPENSSL_VERSION)),
		Build: func(cfg tlsstate.Config) (tlsstate.Domains, error) {
			if cfg.Signer == nil {
				cfg.Signer = Signer
			}
			set, err := tlsstate.Build(cfg)
			if err != nil {
				return nil, err // no nil set in an interface that is not nil
			}
			return domains{set}, nil
		},
	})
}

// domains are those of crypto/tls under another name.
type domains struct{ *tlsstate.Set }

// Domains lists the domains; see tlsstate.Set.Domains.
func (d domains) Domains() []tlsstate.DomainInfo {
	list := d.Set.Domains()
	for i := range list {
		list[i].Library = LibraryName
	}
	return list
}
