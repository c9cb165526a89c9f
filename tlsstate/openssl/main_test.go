//go:build openssl

package openssl_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/openssl"
)

// Every machine of every test has to be stopped.
func TestMain(m *testing.M) {
	code := m.Run()
	if n := openssl.LiveMachines() + tlsstate.LiveMachines(); code == 0 && n != 0 {
		fmt.Fprintf(os.Stderr, "%d machines were never stopped\n", n)
		code = 1
	}
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
