package tlsstate_test

import (
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// The dot of the root is no part of a name, and an address is none (RFC 6066 3).
func TestServerNames(t *testing.T) {
	w := tlstest.NewWorld(t)
	named, nameless := w.ServerDomain(), w.ServerDomain()
	named.Name, named.MatchSIPDomains = "named", []string{"sip.example.com", "192.0.2.1", "*.good.example"}
	nameless.Name, nameless.MatchSIPDomains = "nameless", []string{"none"}
	set := buildConfig(t, tlsstate.Config{Domains: []tlsstate.DomainConfig{named, nameless}})
	for sni, want := range map[string]string{
		"sip.example.com": "named", "SIP.example.com.": "named", "a.good.example.": "named",
		"": "nameless", ".": "nameless", "192.0.2.1": "nameless", "192.0.2.9": "nameless", "2001:db8::1": "nameless", "[2001:db8::1]": "nameless",
		"other.example": "", "192.0.2.999": "",
	} {
		if got, ok := set.ServerDomain(tlstest.Listener, sni); got != want || ok != (want != "") {
			t.Errorf("%q: %q, want %q", sni, got, want)
		}
	}
}
