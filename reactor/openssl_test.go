//go:build openssl

package reactor

import (
	"sipreactor/tlsstate"
	"sipreactor/tlsstate/openssl"
)

func init() {
	tlsLibrary = openssl.LibraryName
	liveMachines = func() int64 { return openssl.LiveMachines() + tlsstate.LiveMachines() }
	nativeHeap = openssl.HeapInUse
	reloadsAsked = 300 // reading a set takes libssl four times as long
}
