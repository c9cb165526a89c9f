package hep

import (
	"strings"
	"testing"
)

func TestParseID(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Destination
	}{
		{"[hep]127.0.0.1", Destination{"hep", "127.0.0.1", 9060, TCP}},
		{"[hep]10.0.0.2:9061", Destination{"hep", "10.0.0.2", 9061, TCP}},
		{"[hep_dst]homer.example.com;transport=udp", Destination{"hep_dst", "homer.example.com", 9060, UDP}},
		{"[h]homer:65535; transport=tls; version=3", Destination{"h", "homer", 65535, TLS}},
		{"[h]homer;version=3;TRANSPORT=TCP;", Destination{"h", "homer", 9060, TCP}},
		{" [h]homer ", Destination{"h", "homer", 9060, TCP}},
		{"[h][2001:db8::1]", Destination{"h", "2001:db8::1", 9060, TCP}},
		{"[h][::1]:1;transport=udp", Destination{"h", "::1", 1, UDP}},
	} {
		got, err := ParseID(c.in)
		if err != nil || got != c.want {
			t.Errorf("%q: %+v, %v", c.in, got, err)
		}
		again, err := ParseID(got.String())
		if err != nil || again != got {
			t.Errorf("%q is written %q and read as %+v, %v", c.in, got, again, err)
		}
	}
}

func TestParseIDErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "no [name]",
		"127.0.0.1":                "no [name]",
		"x[hep]127.0.0.1":          "no [name]",
		"[hep":                     "no [name]",
		"[]127.0.0.1":              "empty name",
		"[hep]":                    `"" is no host`,
		"[hep]:9060":               `"" is no host`,
		"[hep]a b":                 `"a b" is no host`,
		"[hep]host:":               `"" is no port`,
		"[hep]host:0":              `"0" is no port`,
		"[hep]host:65536":          `"65536" is no port`,
		"[hep]host:x":              `"x" is no port`,
		"[hep]::1":                 "stands in brackets",
		"[hep][::1":                "closing bracket",
		"[hep][host]":              "no IPv6 address",
		"[hep][::1]x":              `"x" stands behind`,
		"[hep]host;transport=sctp": `transport is "sctp"`,
		"[hep]host;transport":      `transport is ""`,
		"[hep]host;version=2":      `version is "2"`,
		"[hep]host;proto=udp":      `no parameter "proto"`,
	} {
		_, err := ParseID(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
		if err != nil && !strings.Contains(err.Error(), "hep_id") {
			t.Errorf("%q: %v does not name the parameter", in, err)
		}
	}
}

func TestDestinationAddress(t *testing.T) {
	for in, want := range map[string]string{
		"[h]homer":        "homer:9060",
		"[h][::1]:5":      "[::1]:5",
		"[h]192.0.2.1:80": "192.0.2.1:80",
	} {
		d, err := ParseID(in)
		if err != nil || d.Address() != want {
			t.Errorf("%q: %q, %v", in, d.Address(), err)
		}
	}
}

func TestDestinationPrivate(t *testing.T) {
	for in, want := range map[string]bool{
		"[h]127.0.0.1":                       true,
		"[h]127.8.0.1;transport=udp":         true,
		"[h][::1]":                           true,
		"[h][::ffff:127.0.0.1]":              true,
		"[h]LocalHost":                       true,
		"[h]homer.example.com":               false,
		"[h]192.0.2.1;transport=udp":         false,
		"[h]localhost.example.com":           false,
		"[h]homer.example.com;transport=tls": true,
	} {
		d, err := ParseID(in)
		if err != nil || d.Private() != want {
			t.Errorf("%q: %v, %v", in, d.Private(), err)
		}
	}
}
