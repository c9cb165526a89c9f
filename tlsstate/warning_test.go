package tlsstate_test

import (
	"strings"
	"testing"

	"sipreactor/tlsstate"
)

// Who asks for revocation in a way that checks nothing is told.
func TestWarningsOfRevocation(t *testing.T) {
	cert, key, err := tlsstate.Ephemeral([]string{"localhost"}, false)
	if err != nil {
		t.Fatal(err)
	}
	off := false
	base := tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, Certificates: []tlsstate.KeyPair{{CertificatePEM: cert, PrivateKeyPEM: key}}}
	all := base
	all.CRLCheckAll = true
	for name, c := range map[string]struct {
		cfg  tlsstate.DomainConfig
		want string
	}{
		"none asked for":    {base, ""},
		"all, of no folder": {all, "server domain in: crl_check_all has no effect without crl_dir: nothing is checked for revocation"},
	} {
		c.cfg.RequireCert = &off
		set, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{c.cfg}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(set.Warnings(), "; "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
