package script

import (
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// facts is a route that logs each variable of tls_mgm and answers.
func facts() string {
	var b strings.Builder
	b.WriteString("route {\n")
	for _, name := range tlsstate.VariableNames() {
		fmt.Fprintf(&b, "\txlog(\"%s=$%s\");\n", name, name)
	}
	b.WriteString(`
	if (is_peer_verified()) xlog("verified"); else xlog("unverified");
	sl_send_reply(200, "OK");
}`)
	return b.String()
}

// factsOf asks for the variables by a connection.
func factsOf(l *live, p reactor.Proto, client *tlstest.Pair) map[string]string {
	l.Helper()
	all := make(map[string]string)
	for _, line := range l.ask(l.dial(p, client)) {
		name, v, _ := strings.Cut(line, "=")
		all[name] = v
	}
	return all
}

func (l *live) holds(got, want map[string]string) {
	l.Helper()
	for name, v := range want {
		if got[name] != v {
			l.Errorf("$%s is %q, want %q", name, got[name], v)
		}
	}
}

// TestPeerVariables reads every variable over connections with certificates of
// all kinds.
func TestPeerVariables(t *testing.T) {
	w := newPKI(t, `
modparam("tls_mgm", "require_cert", "[edge]0")
`)
	serial, _ := new(big.Int).SetString("7fabcdef0123456789abcdef0123456789abcdef", 16)
	rich := w.ca.Leaf(t, tlstest.Leaf{
		Subject: pkix.Name{
			Country: []string{"DE"}, Province: []string{"Bayern"}, Locality: []string{"München"},
			Organization: []string{"Example, Inc."}, OrganizationalUnit: []string{"Voice", "Trunks"},
			CommonName: "trunk", SerialNumber: "HRB 1",
		},
		DNS: []string{"trunk.example", "b.example"}, IPs: []string{"2001:db8::1", "192.0.2.9"},
		URIs: []string{"sip:example.com", "sip:example.net"}, Emails: []string{"noc@example.com"},
		Serial: serial, NotAfter: time.Date(2049, 11, 30, 23, 59, 59, 0, time.UTC),
	})
	l := start(t, w.domain+facts())
	got := factsOf(l, reactor.TLS, rich)
	l.holds(got, map[string]string{
		"verified":                      "",
		"tls_version":                   "TLSv1.2",
		"tls_cipher_info":               "ECDHE-ECDSA-AES128-GCM-SHA256",
		"tls_cipher_bits":               "128",
		"tls_peer_version":              "2",
		"tls_peer_serial":               "728873194671190427164871376879945176842704244207",
		"tls_peer_subject_cn":           "trunk",
		"tls_peer_subject_country":      "DE",
		"tls_peer_subject_state":        "Bayern",
		"tls_peer_subject_locality":     "München",
		"tls_peer_subject_organization": "Example, Inc.",
		"tls_peer_subject_unit":         "Voice",
		"tls_peer_subject_serial":       "HRB 1",
		"tls_peer_issuer":               "/CN=script CA",
		"tls_peer_issuer_cn":            "script CA",
		"tls_peer_issuer_organization":  "<null>",
		"tls_peer_san_email":            "noc@example.com",
		"tls_peer_san_hostname":         "trunk.example",
		"tls_peer_san_uri":              "sip:example.com",
		"tls_peer_san_ip":               "2001:db8::1",
		"tls_peer_verified":             "1",
		"tls_peer_revoked":              "0",
		"tls_peer_expired":              "0",
		"tls_peer_selfsigned":           "0",
		"tls_peer_notAfter":             "Nov 30 23:59:59 2049 GMT",
		"tls_my_subject":                "/CN=edge",
		"tls_my_subject_cn":             "edge",
		"tls_my_serial":                 w.own.Cert.SerialNumber.String(),
		"tls_my_san_hostname":           "edge.example",
		"tls_my_san_ip":                 "127.0.0.1",
		"tls_my_san_uri":                "<null>",
		"tls_my_issuer_cn":              "script CA",
		"tls_my_version":                "2",
		"tls_my_subject_serial":         "<null>",
	})
	for _, part := range []string{"/C=DE", "/OU=Voice+OU=Trunks", "/CN=trunk"} {
		if !strings.Contains(got["tls_peer_subject"], part) {
			t.Errorf("$tls_peer_subject is %q, without %s", got["tls_peer_subject"], part)
		}
	}
	if len(got) != len(tlsstate.VariableNames())+1 {
		t.Errorf("%d lines for %d variables", len(got), len(tlsstate.VariableNames()))
	}

	none := factsOf(l, reactor.TLS, nil)
	l.holds(none, map[string]string{
		"unverified": "", "tls_version": "TLSv1.2", "tls_my_subject_cn": "edge", "tls_peer_subject": "<null>", "tls_peer_serial": "<null>",
		"tls_peer_verified": "0", "tls_peer_expired": "0", "tls_peer_san_ip": "<null>", "tls_peer_notAfter": "<null>",
	})

	plain := factsOf(l, reactor.TCP, nil)
	if _, ok := plain["unverified"]; !ok {
		t.Error("a peer without TLS is verified")
	}
	for _, name := range tlsstate.VariableNames() {
		if plain[name] != "<null>" {
			t.Errorf("without TLS $%s is %q", name, plain[name])
		}
	}
}

// TestPeerVerdicts looks at peers that are let in though their certificates are
// not good.
func TestPeerVerdicts(t *testing.T) {
	w := newPKI(t, `
modparam("tls_mgm", "verify_cert", "[edge]0")
modparam("tls_mgm", "require_cert", "[edge]1")
`)
	leaf := tlstest.Leaf{CN: "peer", DNS: []string{"peer.example"}}
	good, revoked := w.ca.Leaf(t, leaf), w.ca.Leaf(t, leaf)
	old := leaf
	old.NotBefore, old.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	l := start(t, w.domain+`
modparam("tls_mgm", "crl_dir", "[edge]`+crlFolder(t, w.ca, revoked)+`")
`+facts())
	for name, tt := range map[string]struct {
		pair                                   *tlstest.Pair
		verified, expired, selfsigned, revoked string
	}{
		"good":        {good, "1", "0", "0", "0"},
		"expired":     {w.ca.Leaf(t, old), "0", "1", "0", "0"},
		"self-signed": {tlstest.SelfSigned(t, leaf), "0", "0", "1", "0"},
		"revoked":     {revoked, "0", "0", "0", "1"},
		"of a stranger": {
			tlstest.NewCA(t, "stranger").Leaf(t, leaf), "0", "0", "0", "0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := factsOf(l, reactor.TLS, tt.pair)
			l.holds(got, map[string]string{
				"tls_peer_verified": tt.verified, "tls_peer_expired": tt.expired, "tls_peer_selfsigned": tt.selfsigned,
				"tls_peer_revoked": tt.revoked, "tls_peer_subject_cn": "peer",
			})
			if _, ok := got["unverified"]; !ok {
				t.Error("is_peer_verified() holds for a domain that verifies nothing")
			}
		})
	}
}

// TestPeerFiguresCompare holds that flags and short numbers are numbers, and
// that serial numbers too long for that are texts.
func TestPeerFiguresCompare(t *testing.T) {
	w := newPKI(t, "")
	serial, _ := new(big.Int).SetString("7fabcdef0123456789abcdef0123456789abcdef", 16)
	l := start(t, w.domain+`
route {
	if ($tls_peer_verified == 1 && $tls_peer_verified == "1" && $tls_peer_revoked == 0) xlog("flags");
	if ($tls_cipher_bits >= 128) xlog("bits");
	if ($tls_peer_version == 2) xlog("version");
	if ($tls_peer_serial == "728873194671190427164871376879945176842704244207") xlog("long");
	if ($tls_peer_serial == "77") xlog("short");
	if ($tls_my_serial != NULL) xlog("mine");
	if ($tls_peer_subject =~ "/CN=t.*k$") xlog("subject");
	if ($(tls_peer_san_uri{uri.host}) == "example.com") xlog("host");
	sl_send_reply(200, "OK");
}`)
	leaf := tlstest.Leaf{CN: "trunk", URIs: []string{"sip:example.com"}, Serial: serial}
	if got := strings.Join(l.ask(l.dial(reactor.TLS, w.ca.Leaf(t, leaf))), " "); got != "flags bits version long mine subject host" {
		t.Error(got)
	}
	leaf.Serial = big.NewInt(77)
	if got := strings.Join(l.ask(l.dial(reactor.TLS, w.ca.Leaf(t, leaf))), " "); got != "flags bits version short mine subject host" {
		t.Error(got)
	}
}

// TestPeerOfEachMessage holds that one connection's state does not stay for the
// next one's messages.
func TestPeerOfEachMessage(t *testing.T) {
	w := newPKI(t, `modparam("tls_mgm", "require_cert", "[edge]0")`)
	l := start(t, "tcp_workers=1\n"+w.domain+`
route { xlog("$tls_peer_subject_cn"); sl_send_reply(200, "OK"); }`)
	a := l.dial(reactor.TLS, w.ca.Leaf(t, tlstest.Leaf{CN: "a"}))
	b := l.dial(reactor.TLS, w.ca.Leaf(t, tlstest.Leaf{CN: "b"}))
	nobody := l.dial(reactor.TLS, nil)
	plain := l.dial(reactor.TCP, nil)
	for range 3 {
		got := strings.Join(append(append(append(l.ask(a), l.ask(b)...), l.ask(nobody)...), l.ask(plain)...), " ")
		if got != "a b <null> <null>" {
			t.Error(got)
		}
	}
}

func TestTLSNeedsItsModule(t *testing.T) {
	const head = "socket=tls:127.0.0.1:5061\nloadmodule \"proto_tls.so\"\n"
	for _, body := range []string{`xlog("$tls_version");`, `if (is_peer_verified()) exit;`} {
		_, err := compile("cfg", []byte(head+"route { "+body+" }"))
		if err == nil || !strings.Contains(err.Error(), `of the module tls_mgm, which is not loaded`) {
			t.Errorf("%s: %v", body, err)
		}
		if _, err = compile("cfg", []byte(head+"loadmodule \"tls_mgm.so\"\nroute { "+body+" }")); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	for body, want := range map[string]string{
		`$tls_version = "x";`:          "cannot be assigned to",
		`xlog("$tls_peer_shoe_size");`: "did you mean",
		`xlog("$(tls_version[1])");`:   "takes no index",
		`xlog("$tls_version(x)");`:     "takes nothing in parentheses",
	} {
		_, err := compile("cfg", []byte(head+"loadmodule \"tls_mgm.so\"\nroute { "+body+" }"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// Without a worker, as in a route for an event, there is no connection to ask.
func TestTLSWithoutEngine(t *testing.T) {
	if got := strings.Join(runs(t, `
	if (is_peer_verified()) xlog("verified");
	if ($tls_version == NULL && $tls_peer_verified == NULL) xlog("null");`), " "); got != "null" {
		t.Error(got)
	}
}
