package script

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/tlsstate"
)

// taken compiles what OpenSIPS takes, behind a TLS socket, with its notes.
func taken(t *testing.T, text string) (*Config, string) {
	t.Helper()
	cfg, err := compile("x.cfg", []byte("socket=tls:127.0.0.1:5061\nloadmodule \"proto_tls.so\"\nloadmodule \"tls_mgm.so\"\n"+text+"\nroute { exit; }\n"))
	if err != nil {
		t.Fatalf("%s\nis not taken:\n%v", text, err)
	}
	var notes []string
	for _, n := range cfg.Notes {
		notes = append(notes, n.String())
	}
	return cfg, strings.Join(notes, "\n")
}

// TestTakenAsThere loads what OpenSIPS loads, with a note where it does nothing
// and none where it does what it does there.
func TestTakenAsThere(t *testing.T) {
	for _, tt := range []struct{ text, note string }{
		{"loadmodule \"proto_hep.so\"\nsocket=hep_udp:127.0.0.1:6061\nsocket= hep_tcp:127.0.0.1:6061 \t\t# change the listening IP", "x.cfg:5:8: nothing listens on this hep_udp socket"},
		{"auto_scaling_profile = PROFILE_SIP\n scale up to 6 on 70% for 4 cycles within 5\n scale down to 2 on 18% for 10 cycles\nlog_level=3", "auto_scaling_profile does nothing here"},
		{"auto_scaling_profile=P scale up to 6 on 70% for 4 cycles", "auto_scaling_profile does nothing here"},
		{"tos=16", "tos does nothing here"}, {"tos=0x10", "tos does nothing here"}, {"tos=IPTOS_LOWDELAY", "tos does nothing here"},
		{"socket=tls:127.0.0.1:5062\ntos=0x10", "tos does nothing here"}, {"socket=tls:127.0.0.1:5062 tos 0x10", "tos: the type of service"},
		{"mem-group = \"interest\": \"core\" \"tm\"", "mem-group does nothing here"},
		{"tcp_threads = 4", "tcp_threads does nothing here"},
		{"log_stdout = true", "log_stdout does nothing here"},
		{"stderror_level_filter=2", ""},
		{"log_level=6", ""}, {"xlog_level=9", ""},
		{"mhomed=yes", ""},
		{"loadmodule \"uri.so\"\nmodparam(\"uri\", \"use_uri_table\", 0)", ""},
		{"loadmodule \"uri.so\"\nmodparam(\"uri\", \"aaa_url\", \"\")", "aaa_url does nothing here: no function of uri that is here asks a RADIUS server"},
		{"loadmodule \"maxfwd.so\"\nmodparam(\"maxfwd\", \"max_limit\", 32)", ""},
		{"loadmodule \"rr.so\"\nmodparam(\"rr\", \"add_username\", 1)", ""},
		{"onreply_route { force_rport(); }", "force_rport() does nothing to a response"},
		{"log_prefix=\"a\" \"b\"", ""},
		{"socket=tls:127.0.0.1:5062 log_level=3 loadmodule \"rr.so\" xlog_level = 3 alias=a.example b.example server_signature=no", ""},
	} {
		_, notes := taken(t, tt.text)
		if tt.note == "" && notes != "" || !strings.Contains(notes, tt.note) {
			t.Errorf("%s\nnotes: %s\n want: %s", tt.text, notes, tt.note)
		}
	}
}

// TestWrongThereToo refuses what is wrong in the same places.
func TestWrongThereToo(t *testing.T) {
	for text, want := range map[string]string{
		"socket=hep_udp:127.0.0.1:6061":                     `a HEP socket needs loadmodule "proto_hep.so"`,
		"auto_scaling_profile=P\nlog_level=3":               "expected scale up to N on N% for N cycles",
		"auto_scaling_profile=P scale up to 6 for 4 cycles": "expected scale up to N on N% for N cycles",
		"tos=256":  "tos is 0 to 255 or one of IPTOS_LOWDELAY",
		"tos=HIGH": "tos is 0 to 255",
		"loadmodule \"uri.so\"\nmodparam(\"uri\", \"use_uri_table\", 1)":   "db_url is not set, and there is no db_default_url",
		"loadmodule \"maxfwd.so\"\nmodparam(\"maxfwd\", \"max_limit\", 0)": "max_limit = 0 is not possible: it takes a number from 1 to 256",
		"socket=tls:127.0.0.1:5062 proxy_protocol":                         "proxy_protocol: the PROXY protocol is not supported in this version",
		"allow_proxy_protocol=yes":                                         "allow_proxy_protocol is not supported: the PROXY protocol is not supported in this version",
		"socket=tls:127.0.0.1:5062 foo":                                    "unknown socket option foo",
		"socket=ws:127.0.0.1:5062":                                         `a ws socket needs loadmodule "proto_ws.so"`,
		"socket=bond:extern {\"tls:127.0.0.1:5061\"}":                      "protocol bond is not supported in this version: a bond of sockets",
		"log_level=3 nonsense":                                             "found nonsense behind the value of log_level",
	} {
		_, err := compile("x.cfg", []byte("socket=tls:127.0.0.1:5061\nloadmodule \"proto_tls.so\"\n"+text+"\nroute { exit; }\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got: %v\nwant: %s", text, err, want)
		}
	}
}

// TestKeyBeforeCertificate pairs keys and certificates in either order.
func TestKeyBeforeCertificate(t *testing.T) {
	cfg, notes := taken(t, `
modparam("tls_mgm", "server_domain", "a")
modparam("tls_mgm", "private_key", "[a] /key1")
modparam("tls_mgm", "private_key", "[a]/key2")
modparam("tls_mgm", "certificate", "[a]/cert1")
modparam("tls_mgm", "certificate", "[a]/cert2")
modparam("tls_mgm", "certificate", "[a]/cert3")
modparam("tls_mgm", "private_key", "[a]/key3")
modparam("tls_mgm", "ciphers_list", "[a]TLS_AES_128_GCM_SHA256:HIGH")`)
	want := []tlsstate.KeyPair{{CertificateFile: "/cert1", PrivateKeyFile: "/key1"}, {CertificateFile: "/cert2", PrivateKeyFile: "/key2"}, {CertificateFile: "/cert3", PrivateKeyFile: "/key3"}}
	for i, pair := range cfg.TLS.Domains[0].Certificates {
		if pair.CertificateFile != want[i].CertificateFile || pair.PrivateKeyFile != want[i].PrivateKeyFile {
			t.Errorf("pair %d: %+v", i, pair)
		}
	}
	if !strings.Contains(notes, "ciphers_list does not change TLS 1.3, whose suites are always offered: TLS_AES_128_GCM_SHA256") {
		t.Errorf("notes: %s", notes)
	}
}

// TestOneLine has several statements on the line of a socket.
func TestOneLine(t *testing.T) {
	cfg, _ := taken(t, "socket=tls:127.0.0.1:5062 tag x log_level=4 loadmodule \"rr.so\" alias=a.example b.example server_signature=no")
	if len(cfg.Sockets) != 2 || cfg.Sockets[1].Tag != "x" || cfg.Sockets[1].Proto != reactor.TLS || cfg.Log.Level != LevelDebug ||
		strings.Join(cfg.Proxy.MyDomains, " ") != "a.example b.example" || cfg.Proxy.ServerHeader != "" {
		t.Errorf("%+v", cfg)
	}
}

// TestLevelsAboveAll says no more than debug, and the filter holds it back.
func TestLevelsAboveAll(t *testing.T) {
	cfg, _ := taken(t, "log_level=6\nxlog_level=5\nstderror_level_filter=-1")
	if cfg.Log.Level != LevelDebug || cfg.Log.Script != LevelDebug || cfg.Log.Filter != LevelError {
		t.Errorf("%+v", cfg.Log)
	}
}

// TestStringsSideBySide are one string, with the places of its bytes.
func TestStringsSideBySide(t *testing.T) {
	if got := strings.Join(runs(t, `xlog("one " "two "
		'three $rm');`), "|"); got != "one two three INVITE" {
		t.Error(got)
	}
	cfg, _ := taken(t, "loadmodule \"mi_fifo.so\"\nmodparam(\"mi_fifo\", \"fifo\" \"_name\", \"/run/\" \"fifo\")")
	if fifo := fmt.Sprintf("%+v", cfg.Instance("mi_fifo")); !strings.Contains(fifo, "Name:/run/fifo ") {
		t.Error(fifo)
	}
	_, err := compile("x.cfg", []byte(allModules+"route { xlog(\"one\" \"t$nosuch\"); }"))
	if err == nil || !strings.Contains(err.Error(), ":20:22: unknown variable $nosuch") {
		t.Errorf("%v", err)
	}
}

// TestSubstitutionFromVariable is {re.subst} with what a variable holds; what
// the variable brings in reads no other one.
func TestSubstitutionFromVariable(t *testing.T) {
	for statements, want := range map[string]string{
		`$var(s) = '/a(.)/[\1]/g'; $var(t) = "abac"; xlog("$(var(t){re.subst,$var(s)})");`:    "[b][c]",
		`$var(s) = '/A/x/i'; $var(t) = "aa"; xlog("$(var(t){re.subst, $var(s)})");`:           "xa",
		`$var(t) = "aa"; xlog("$(var(t){re.subst,$var(none)})");`:                             "aa",
		`$var(s) = "broken"; $var(t) = "aa"; xlog("$(var(t){re.subst,$var(s)})");`:            "<null>",
		`$var(s) = '/a/' + '$' + 'ci/'; $var(t) = "aa"; xlog("$(var(t){re.subst,$var(s)})");`: "<null>",
		`$var(t) = "abcd"; $var(i) = 1; xlog("$(var(t){s.substr, $var(i) ,0})");`:             "bcd",
	} {
		log := runs(t, statements)
		if got := log[len(log)-1]; got != want {
			t.Errorf("%s\n got %q\nwant %q", statements, log, want)
		}
	}
}

func TestMaxForwardsLimit(t *testing.T) {
	b := newBench(t, allModules+"modparam(\"maxfwd\", \"max_limit\", 20)\nroute { forward(\"tls:127.0.0.1:5081\"); }")
	b.receive(invite)
	if len(b.peer.sent) != 1 || b.peer.sent[0].header("Max-Forwards") != "20" {
		t.Errorf("%+v", b.peer.sent)
	}
}

func TestRecordRouteUser(t *testing.T) {
	b := newBench(t, allModules+"modparam(\"rr\", \"add_username\", 1)\nroute { record_route(); forward(\"tls:127.0.0.1:5081\"); }")
	b.receive(invite)
	if len(b.peer.sent) != 1 || b.peer.sent[0].header("Record-Route") != "<sip:+4930123@edge.example.org:5061;transport=tls;lr;ftag=1928301774>" {
		t.Errorf("%+v", b.peer.sent)
	}
}

// TestIdioms loads and runs what files in public have: empty arguments, strings over
// lines, and, or and not, }; behind blocks, =~ with NULL, values of an AVP as an
// array, sockets behind the routes.
func TestIdioms(t *testing.T) {
	b := newBenchOf(t, "testdata/idioms.cfg")
	if fifo := fmt.Sprintf("%+v", b.cfg.Instance("mi_fifo")); len(b.cfg.Sockets) != 2 || !strings.Contains(fifo, fmt.Sprintf("Mode:%d ", 0o666)) {
		t.Errorf("sockets %+v, fifo %s", b.cfg.Sockets, fifo)
	}
	b.receive([]byte(strings.Replace(string(invite), "sip:+4930123@example.net:5070;transport=tls;user=phone", "sip:b@127.0.0.1:5081;transport=tls", 1)))
	if len(b.peer.sent) != 1 || !strings.HasPrefix(b.peer.sent[0].text, "INVITE ") {
		t.Errorf("sent %+v, log %v", b.peer.sent, b.log)
	}
}
