package tlsstate_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
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
	ca := tlstest.NewCA(t, "ca")
	future, delta := base, base
	future.CRLDir = crlDir(t, ca.List(t, func(l *x509.RevocationList) { l.ThisUpdate = time.Now().Add(time.Minute) }))
	delta.CRLDir = crlDir(t, ca.List(t, func(l *x509.RevocationList) {
		l.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}}
	}))
	for name, c := range map[string]struct {
		cfg  tlsstate.DomainConfig
		want string
	}{
		"none asked for":    {base, ""},
		"all, of no folder": {all, "server domain in: crl_check_all has no effect without crl_dir: nothing is checked for revocation"},
		"not in force":      {future, "is not in force before "},
		"of no use":         {delta, "server domain in: crl_dir " + delta.CRLDir + "/a.crl: is a delta list: it tells only what changed; it is not used"},
	} {
		c.cfg.RequireCert = &off
		set, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{c.cfg}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(set.Warnings(), "; "); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
