package interop

import (
	"crypto/tls"
	"strings"
	"testing"
)

// expected is what a test wants of a connection. The zero value of a field is "whatever".
type expected struct {
	version uint16
	group   tls.CurveID
	retried bool
	sni     string // "-" none
	own     string // the engine's certificate, by its common name; "-" none
	peer    string // the peer's, as the engine saw it; "-" none
	resumed bool
}

// check compares with the handshake, and with what the engine says of the connection in X-Seen or X-Via.
func (want expected) check(t *testing.T, got handshake, said string) {
	t.Helper()
	t.Logf("%v; %s", got, said)
	facts := map[string]string{}
	for f := range strings.FieldsSeq(said) {
		name, value, _ := strings.Cut(f, "=")
		facts[name] = value
	}
	if want.version != 0 && got.version != want.version {
		t.Errorf("version %s, want %s", tls.VersionName(got.version), tls.VersionName(want.version))
	}
	if name := strings.ReplaceAll(tls.VersionName(got.version), "TLS ", "TLSv"); facts["version"] != name {
		t.Errorf("the engine says %s", facts["version"])
	}
	if want.group != 0 && got.group != want.group {
		t.Errorf("group %v, want %v", got.group, want.group)
	}
	if got.retried != want.retried {
		t.Errorf("HelloRetryRequest: %t", got.retried)
	}
	if got.resumed != want.resumed {
		t.Errorf("resumed: %t", got.resumed)
	}
	if want.sni != "" && got.sni != none(want.sni) {
		t.Errorf("server name %q, want %q", got.sni, none(want.sni))
	}
	for name, value := range map[string]string{"own": want.own, "peer": want.peer} {
		if value != "" && none(facts[name]) != none(value) {
			t.Errorf("%s certificate %q, want %q", name, facts[name], value)
		}
	}
	if want.peer != "" && want.peer != "-" && facts["verified"] != "1" {
		t.Errorf("the peer's certificate is not verified: %s", said)
	}
}

func none(s string) string {
	if s == "-" || s == "<null>" {
		return ""
	}
	return s
}
