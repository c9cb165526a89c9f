package tlsstate

import (
	"crypto/tls"
	"io"
	"slices"
	"testing"
)

// A server's connections share their configuration, which is most of what an
// idle one would keep for itself: one for clients that P-256 suits best, one for
// the others. A connection whose secrets are logged has its own.
func TestServerConfigIsShared(t *testing.T) {
	set := idleSet(t)
	d := set.all[1] // clients come first
	config := func(curves ...tls.CurveID) *tls.Config {
		s, c := newPair(t, set)
		defer s.Stop()
		defer c.Stop()
		return d.serverConfig(s, &tls.ClientHelloInfo{SupportedVersions: []uint16{tls.VersionTLS12}, SupportedCurves: curves})
	}
	one, quick := config(tls.X25519), config(tls.X25519, tls.CurveP256)
	if one != config(tls.X25519) || quick != config(tls.X25519, tls.CurveP256) || one == quick {
		t.Errorf("%p and %p are not those of all", one, quick)
	}
	if !slices.Contains(one.CurvePreferences, tls.X25519) || slices.Contains(quick.CurvePreferences, tls.X25519) {
		t.Errorf("groups %v and %v", one.CurvePreferences, quick.CurvePreferences)
	}
	set.keyLog = &keyLog{to: io.Discard}
	if own := config(tls.X25519); own == one || own.KeyLogWriter == nil || one.KeyLogWriter != nil {
		t.Error("the secrets of one connection are everybody's")
	}
}
