package tlsstate

import (
	"crypto/tls"
	"slices"
	"testing"
)

// The group that crypto/tls takes before TLS 1.3: the client's first that the
// server has too.
func TestPreferredGroups(t *testing.T) {
	const x, p256, p384, p521, mlkem = tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521, tls.X25519MLKEM768
	type list = []tls.CurveID
	for _, c := range []struct {
		name    string
		groups  list
		highest uint16 // of the server
		vers    []uint16
		client  list
		want    tls.CurveID
	}{
		{"TLS 1.2", defaultGroups, tls.VersionTLS13, []uint16{tls.VersionTLS12}, list{x, p256, p384}, p256},
		{"the server's TLS 1.2", defaultGroups, tls.VersionTLS12, []uint16{tls.VersionTLS13, tls.VersionTLS12}, list{x, p256, p384}, p256},
		{"TLS 1.3", defaultGroups, tls.VersionTLS13, []uint16{tls.VersionTLS13, tls.VersionTLS12}, list{x, p256, p384}, x},
		{"a version nobody knows", defaultGroups, tls.VersionTLS13, []uint16{0xfafa, tls.VersionTLS12}, list{x, p256}, p256},
		{"a group of TLS 1.3 first", defaultGroups, tls.VersionTLS13, []uint16{tls.VersionTLS12}, list{mlkem, x, p256}, p256},
		{"P-256 first", defaultGroups, tls.VersionTLS13, []uint16{tls.VersionTLS12}, list{p256, x}, p256},
		{"P-384 would be next", defaultGroups, tls.VersionTLS13, []uint16{tls.VersionTLS12}, list{x, p384, p256}, x},
		{"not ours between them", defaultGroups, tls.VersionTLS13, []uint16{tls.VersionTLS12}, list{0x0a0a, x, p521, p256}, p256},
		{"a client without P-256", defaultGroups, tls.VersionTLS13, []uint16{tls.VersionTLS12}, list{x, p384}, x},
		{"a client without X25519", defaultGroups, tls.VersionTLS13, []uint16{tls.VersionTLS12}, list{p384, p256}, p384},
		{"ec_curve X25519", list{x}, tls.VersionTLS13, []uint16{tls.VersionTLS12}, list{x, p256}, x},
		{"ec_curve X25519:P-384", list{x, p384}, tls.VersionTLS13, []uint16{tls.VersionTLS12}, list{x, p256, p384}, x},
	} {
		before := slices.Clone(c.groups)
		got := c.groups
		if prefersP256(c.groups, c.highest, &tls.ClientHelloInfo{SupportedVersions: c.vers, SupportedCurves: c.client}) {
			got = withoutX25519(c.groups)
		}
		if !slices.Equal(c.groups, before) {
			t.Fatalf("%s: the domain's groups became %v", c.name, c.groups)
		}
		i := slices.IndexFunc(c.client, func(g tls.CurveID) bool { return g != mlkem && slices.Contains(got, g) })
		if i < 0 || c.client[i] != c.want {
			t.Errorf("%s: of %v the client's first is not %v", c.name, got, c.want)
		}
	}
}
