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
	// What frees the domains of the last tests may be at it.
	if err := goleak.Find(goleak.IgnoreAnyFunction("runtime.runCleanups")); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
