package script

import (
	"crypto/tls"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/tlsstate/tlstest"
)

const (
	oneKey   = "4f" + "00112233445566778899aabbccddeeff00112233445566778899aabbccddee\n"
	otherKey = "5e" + "00112233445566778899aabbccddeeff00112233445566778899aabbccddee\n"
)

// tlsHead loads what parameters of TLS need.
const tlsHead = `socket=tls:127.0.0.1:5061
loadmodule "proto_tls.so"
loadmodule "tls_mgm.so"
route { exit; }
`

func TestTicketKeysFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tickets")
	tlstest.Write(t, file, []byte("# keys of the pair\n"+oneKey+otherKey), 0o600)
	cfg, err := compile("cfg", []byte(tlsHead+`modparam("tls_mgm", "ticket_keys_file", "`+file+`")`))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.TLSFiles.TicketKeys != file || cfg.TLS.TicketKeys == nil || cfg.TLSFiles.KeyLog != "" {
		t.Errorf("%+v, keys %v", cfg.TLSFiles, cfg.TLS.TicketKeys)
	}
}

func TestTicketKeysFileFails(t *testing.T) {
	dir := t.TempDir()
	for name, tt := range map[string]struct{ text, want string }{
		"empty":  {"# nothing\n", "holds no key"},
		"short":  {oneKey + "0011\n", ":2: is not 32 bytes in hexadecimal or base64"},
		"absent": {"", "no such file"},
	} {
		file := filepath.Join(dir, name)
		if tt.text != "" {
			tlstest.Write(t, file, []byte(tt.text), 0o600)
		}
		_, err := compile("cfg", []byte(tlsHead+`modparam("tls_mgm", "ticket_keys_file", "`+file+`")`))
		if err == nil || !strings.HasPrefix(err.Error(), "cfg:5:41: ticket_keys_file cannot be used: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "0011223344") {
			t.Errorf("%s: the error tells a key: %v", name, err)
		}
	}
}

// Two nodes that share a file take up each other's sessions; one with another
// file does not.
func TestTicketKeysAreShared(t *testing.T) {
	w := newPKI(t, `modparam("tls_mgm", "require_cert", "[edge]0")`)
	node := func(key string) *live {
		file := filepath.Join(t.TempDir(), "tickets")
		tlstest.Write(t, file, []byte(key), 0o600)
		return start(t, w.domain+`
modparam("tls_mgm", "ticket_keys_file", "`+file+`")
route { xlog("$tls_version"); sl_send_reply(200, "OK"); }`)
	}
	first, second, stranger := node(oneKey), node(oneKey), node(otherKey)
	client := &tls.Config{RootCAs: w.ca.Pool(), ServerName: "edge.example", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	connect := func(l *live) bool {
		c, err := tls.Dial("tcp", l.socket(reactor.TLS).Addr.String(), client)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		l.ask(c) // TLS 1.3 brings the ticket behind the handshake
		return c.ConnectionState().DidResume
	}
	if connect(first) {
		t.Error("a first connection is resumed")
	}
	if !connect(second) {
		t.Error("a session is not resumed by the other node")
	}
	if connect(stranger) {
		t.Error("a session is resumed by a node with other keys")
	}
}

func TestKeyLogParameters(t *testing.T) {
	cfg, err := compile("cfg", []byte(tlsHead+`
modparam("tls_mgm", "ssl_keylog_file", "/var/log/keys.log")
modparam("tls_mgm", "ssl_keylog_filter", "192.0.2.7, 198.51.100.99/24, 2001:db8::/32")
`))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.TLSFiles.KeyLog != "/var/log/keys.log" || cfg.TLS.KeyLog != nil {
		t.Errorf("%+v, log %v", cfg.TLSFiles, cfg.TLS.KeyLog)
	}
	for addr, want := range map[string]bool{
		"192.0.2.7:1": true, "192.0.2.8:1": false, "198.51.100.3:1": true, "[2001:db8:1::2]:1": true, "[2001:db9::2]:1": false,
		"[::ffff:192.0.2.7]:1": true,
	} {
		if got := cfg.TLS.KeyLogFilter(netip.MustParseAddrPort(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	for param, want := range map[string]string{
		`"ssl_keylog_file", ""`:                 "ssl_keylog_file needs the path of a file",
		`"ssl_keylog_file", 1`:                  "ssl_keylog_file = 1 is not possible: it takes a string in quotes",
		`"ssl_keylog_filter", "10.0.0.1, host"`: "ssl_keylog_filter is a comma list of addresses and networks; host is none",
		`"ssl_keylog_filter", "10.0.0.0/40"`:    "10.0.0.0/40 is none",
		`"ssl_keylog_filter", ""`:               "is none",
		`"client_sip_domain_avp", "$var(x)"`:    `client_sip_domain_avp is "$avp(name)", or the name alone`,
		`"client_tls_domain_avp", "$avp()"`:     `client_tls_domain_avp is "$avp(name)", or the name alone`,
	} {
		if _, err := compile("cfg", []byte(tlsHead+`modparam("tls_mgm", `+param+`)`)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", param, err)
		}
	}
}

// TestAcceptEKU holds that every usage that tlsstate knows can be named.
func TestAcceptEKU(t *testing.T) {
	cfg, err := compile("cfg", []byte(tlsHead+`
modparam("tls_mgm", "client_domain", "out")
modparam("tls_mgm", "accept_eku", "[out]serverAuth, sipDomain,any , clientAuth")
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(cfg.TLS.Domains[0].AcceptEKU, " "); got != "serverAuth sipDomain any clientAuth" {
		t.Error(got)
	}
}
