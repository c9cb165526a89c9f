package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

// The C library takes a thread for each look-up that waits: also a program that
// is built with cgo resolves in Go.
func TestNamesAreResolvedInGo(t *testing.T) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Skip("built without information")
	}
	for _, s := range info.Settings {
		if s.Key == "DefaultGODEBUG" && strings.Contains(s.Value, "netdns=go") {
			return
		}
	}
	t.Errorf("settings %v, want netdns=go", info.Settings)
}
