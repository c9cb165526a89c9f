package main

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/script"
)

func TestResolveListen(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1":        "127.0.0.1",
		"::1":              "::1",
		"::ffff:127.0.0.1": "127.0.0.1",
		"*":                "0.0.0.0",
		"localhost":        "127.0.0.1",
	} {
		got, named, err := resolveListen(t.Context(), host)
		if err != nil || !slices.Contains(got, netip.MustParseAddr(want)) {
			t.Errorf("%s: %v, %v; want %s", host, got, err, want)
		}
		if named != (host == "localhost") {
			t.Errorf("%s is a host name: %v", host, named)
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
		got, _, err := resolveListen(t.Context(), i.Name)
		if err != nil || !slices.Contains(got, netip.MustParseAddr("127.0.0.1")) {
			t.Errorf("%s: %v, %v", i.Name, got, err)
		}
	}
}

func TestResolveListenUnknown(t *testing.T) {
	if got, _, err := resolveListen(t.Context(), "no-such-host.invalid"); err == nil {
		t.Errorf("resolved to %v", got)
	}
}

func TestListenersNames(t *testing.T) {
	cfg := &script.Config{AutoAliases: true, Sockets: []script.SocketDecl{
		{Proto: reactor.TLS, Host: "localhost", Port: 5061, Tag: "a"},
		{Proto: reactor.UDP, Host: "127.0.0.1", Port: 5060, AdvertisedHost: "sip.example.com"},
	}}
	all, names, err := listeners(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(names, "tls:localhost:5061") {
		t.Errorf("names %v: the socket's own name is ours", names)
	}
	last := all[len(all)-1]
	if all[0].Tag != "a" || last.Advertised != "sip.example.com" || last.Addr.String() != "127.0.0.1:5060" {
		t.Errorf("%+v", all)
	}
}
