// Package waittest waits in tests for what nobody tells.
package waittest

import (
	"testing"
	"time"
)

// Patience is how long For waits: longer than a busy machine takes for anything.
const Patience = 30 * time.Second

// For waits until something is so; what says that in the test's failure.
func For(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came that %s", what)
		}
	}
}
