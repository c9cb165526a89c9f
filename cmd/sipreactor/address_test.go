package main

import (
	"net"
	"net/netip"
	"slices"
	"testing"
)

func TestResolveListen(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1":        "127.0.0.1",
		"::1":              "::1",
		"::ffff:127.0.0.1": "127.0.0.1",
		"*":                "0.0.0.0",
		"localhost":        "127.0.0.1",
	} {
		got, err := resolveListen(t.Context(), host)
		if err != nil || !slices.Contains(got, netip.MustParseAddr(want)) {
			t.Errorf("%s: %v, %v; want %s", host, got, err, want)
		}
	}
}

func TestResolveListenInterface(t *testing.T) {
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback == 0 {
			continue
		}
		got, err := resolveListen(t.Context(), i.Name)
		if err != nil || !slices.Contains(got, netip.MustParseAddr("127.0.0.1")) {
			t.Errorf("%s: %v, %v", i.Name, got, err)
		}
	}
}

func TestResolveListenUnknown(t *testing.T) {
	if got, err := resolveListen(t.Context(), "no-such-host.invalid"); err == nil {
		t.Errorf("resolved to %v", got)
	}
}
