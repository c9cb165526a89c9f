//go:build openssl

package libcrypto_test

import (
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/conformance"
	"sipreactor/tlsstate/libcrypto"
)

func TestConformance(t *testing.T) {
	lib, _ := tlsstate.LookupLibrary(libcrypto.LibraryName)
	conformance.Run(t, lib)
}
