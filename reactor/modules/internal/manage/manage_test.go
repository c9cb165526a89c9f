package manage_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/httpd"
	"sipreactor/reactor/modules/mi_datagram"
	"sipreactor/reactor/modules/mi_fifo"
	"sipreactor/reactor/modules/mi_http"
	"sipreactor/reactor/modules/proto_tcp"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/proto_udp"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/script"
)

func compile(name string, src []byte) (*script.Config, error) {
	l := script.Loader{Modules: []script.Constructor{proto_tcp.New, proto_tls.New, proto_udp.New, httpd.New, mi_datagram.New, mi_fifo.New, mi_http.New, sl.New}}
	return l.Compile(name, src)
}

const plainHead = `socket=tcp:127.0.0.1:5060
loadmodule "proto_tcp.so"
route { exit; }
`

// management compiles parameters of the management modules.
func management(t *testing.T, params string) *script.Config {
	t.Helper()
	cfg, err := compile("cfg", []byte(managementHead+params))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

const managementHead = plainHead + `
loadmodule "mi_fifo.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
loadmodule "mi_datagram.so"
modparam("mi_datagram", "socket_name", "udp:127.0.0.1:8080")
`

// modules are what a configuration says of each.
type modules struct {
	fifo     *mi_fifo.Config
	httpd    *httpd.Config
	http     *mi_http.Config
	datagram *mi_datagram.Config
}

func of(cfg *script.Config) modules {
	return modules{cfg.Instance("mi_fifo").(*mi_fifo.Config), cfg.Instance("httpd").(*httpd.Config),
		cfg.Instance("mi_http").(*mi_http.Config), cfg.Instance("mi_datagram").(*mi_datagram.Config)}
}

func TestMIDefaults(t *testing.T) {
	got := of(management(t, ""))
	want := modules{
		&mi_fifo.Config{At: got.fifo.At, Name: "/tmp/opensips_fifo", Mode: 0o600, ReplyDir: "/tmp"}, // TestMIParameters has the places
		&httpd.Config{At: got.httpd.At, IP: "127.0.0.1", Port: 8888},
		&mi_http.Config{Root: "mi"},
		&mi_datagram.Config{At: got.datagram.At, Socket: "udp:127.0.0.1:8080", Mode: 0o600, Timeout: 2 * time.Second},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestMIParameters(t *testing.T) {
	cfg := management(t, `
modparam("mi_fifo", "fifo_name", "/run/fifo")
modparam("mi_fifo", "fifo_mode", 0660)
modparam("mi_fifo", "fifo_user", "opensips")
modparam("mi_fifo", "fifo_group", 0)
modparam("mi_fifo", "reply_dir", "/run/replies")
modparam("mi_http", "root", "manage")
modparam("httpd", "ip", "10.0.0.1")
modparam("httpd", "port", 8443)
modparam("httpd", "conn_timeout", 5)
modparam("httpd", "tls_cert_file", "/c.pem")
modparam("httpd", "tls_key_file", "/k.pem")
modparam("httpd", "allow", "10.0.0.0/8, 192.0.2.1")
modparam("httpd", "token", "secret")
modparam("mi_datagram", "unix_socket_mode", 0640)
modparam("mi_datagram", "socket_timeout", 500)
modparam("mi_datagram", "allow", "2001:db8::/32")
`)
	m := of(cfg)
	if want := (mi_fifo.Config{At: m.fifo.At, Name: "/run/fifo", Mode: 0o660, User: "opensips", Group: "0", ReplyDir: "/run/replies"}); *m.fifo != want {
		t.Errorf("%+v", m.fifo)
	}
	for _, at := range []script.Pos{m.fifo.At, m.httpd.At, m.datagram.At} {
		if !at.IsValid() {
			t.Error("a module has no place")
		}
	}
	h := m.httpd
	if m.http.Root != "manage" || h.IP != "10.0.0.1" || h.Port != 8443 || h.Timeout != 5*time.Second || h.CertFile != "/c.pem" ||
		h.KeyFile != "/k.pem" || fmt.Sprint(h.Allow) != "[10.0.0.0/8 192.0.2.1/32]" || h.Token != "secret" {
		t.Errorf("%+v", h)
	}
	if d := m.datagram; d.Mode != 0o640 || d.Timeout != 500*time.Millisecond || fmt.Sprint(d.Allow) != "[2001:db8::/32]" {
		t.Errorf("%+v", d)
	}
	if len(cfg.Notes) != 0 {
		t.Error(cfg.Notes)
	}
}

// Parameters of OpenSIPS that have nothing to do here load and say why.
func TestMIIdleParameters(t *testing.T) {
	var lines []string
	for module, names := range map[string][]string{
		"mi_fifo":     {"pretty_printing", "trace_destination", "trace_bwlist"},
		"mi_http":     {"pretty_printing", "trace_destination", "trace_bwlist"},
		"httpd":       {"buf_size", "post_buf_size", "receive_buf_size"},
		"mi_datagram": {"children_count", "unix_socket_user", "unix_socket_group", "pretty_printing", "trace_destination", "trace_bwlist"},
	} {
		for _, n := range names {
			v := "1"
			if strings.HasPrefix(n, "trace_") {
				v = `"x"`
			}
			lines = append(lines, fmt.Sprintf("modparam(%q, %q, %s)", module, n, v))
		}
	}
	cfg := management(t, strings.Join(lines, "\n")+"\n"+`modparam("httpd", "ip", "127.0.0.1")`)
	if len(cfg.Notes) != len(lines) {
		t.Errorf("%d notes for %d parameters: %v", len(cfg.Notes), len(lines), cfg.Notes)
	}
}

func TestMIErrors(t *testing.T) {
	for params, want := range map[string]string{
		`modparam("mi_fifo", "fifo_mode", 01000)`:           "fifo_mode = 01000 is not possible: it takes a number from 0 to 511 (permission bits)",
		`modparam("mi_fifo", "fifo_name", "")`:              "fifo_name is empty",
		`modparam("httpd", "ip", "everywhere")`:             "ip is an address; everywhere is none",
		`modparam("httpd", "port", 0)`:                      "port = 0 is not possible",
		`modparam("httpd", "tls_cert_file", "/c.pem")`:      "httpd has no tls_key_file",
		`modparam("httpd", "tls_key_file", "/k.pem")`:       "httpd has no tls_cert_file",
		`modparam("httpd", "tls_ciphers", "ALL")`:           "tls_ciphers of the module httpd is not supported",
		`modparam("httpd", "allow", "10.0.0.0/33")`:         "allow is a comma list of addresses and networks; 10.0.0.0/33 is none",
		`modparam("mi_datagram", "socket_timeout", 0)`:      "socket_timeout = 0 is not possible",
		`modparam("mi_datagram", "unix_socket_mod", 0600)`:  "(did you mean unix_socket_mode?)",
		`modparam("mi_http", "trace_destination", 1)`:       "it takes a string in quotes",
		`modparam("mi_datagram", "allow", "localhost, ::")`: "localhost is none",
	} {
		if _, err := compile("cfg", []byte(managementHead+params)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", params, err)
		}
	}
	for module, want := range map[string]string{
		"mi_http":     `mi_http answers by the module httpd, which is not loaded: loadmodule "httpd.so"`,
		"mi_datagram": "mi_datagram has no socket",
	} {
		if _, err := compile("cfg", []byte(plainHead+`loadmodule "`+module+`.so"`)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", module, err)
		}
	}
}

// OpenSIPS' httpd without ip listens everywhere; that ours does not is told.
func TestHTTPDAddressNote(t *testing.T) {
	const note = "httpd listens on 127.0.0.1 here"
	for text, want := range map[string]bool{
		`loadmodule "httpd.so"`: true,
		`loadmodule "httpd.so"` + "\n" + `modparam("httpd", "port", 8080)`:                                                        true,
		`loadmodule "httpd.so"` + "\n" + `modparam("httpd", "ip", "0.0.0.0")` + "\n" + `modparam("httpd", "allow", "10.0.0.0/8")`: false,
		`loadmodule "sl.so"`: false,
	} {
		cfg, err := compile("x.cfg", []byte("socket=udp:127.0.0.1:5060\nloadmodule \"proto_udp.so\"\n"+text+"\nroute { exit; }\n"))
		if err != nil {
			t.Fatal(err)
		}
		told := slices.ContainsFunc(cfg.Notes, func(n script.Note) bool { return strings.Contains(n.Msg, note) && n.Pos.Line() == 3 })
		if told != want {
			t.Errorf("%s\nnoted %v, want %v: %v", text, told, want, cfg.Notes)
		}
	}
}
