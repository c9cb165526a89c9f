package names

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
)

func TestParseHosts(t *testing.T) {
	hosts := parseHosts(strings.NewReader(`# a comment
127.0.0.1	localhost
::1		localhost ip6-localhost # here
2001:db8::1 PBX.example.com pbx
192.0.2.1   pbx.example.com.
192.0.2.1   pbx.example.com
not.an.address x
fe80::1%eth0 linklocal
192.0.2.9
`))
	for name, want := range map[string][]string{
		"localhost": {"127.0.0.1", "::1"}, "ip6-localhost": {"::1"}, "pbx": {"2001:db8::1"},
		"pbx.example.com": {"192.0.2.1", "2001:db8::1"}, "x": nil, "linklocal": nil,
	} {
		if !slices.Equal(hosts[name], addrs(want...)) {
			t.Errorf("%s: %v, want %v", name, hosts[name], want)
		}
	}
}

// What /etc/hosts has is asked for of nobody; localhost is loopback always.
func TestHosts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(path, []byte("192.0.2.77 pbx\n2001:db8::77 pbx\n192.0.2.78 tls.example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, zone...)
	d := resolver(t, Config{Hosts: path, TryIPv6: true}, "", s)
	expect(t, d, Query{Host: "pbx"}, "udp:192.0.2.77:5060", "udp:[2001:db8::77]:5060")
	expect(t, d, Query{Host: "pbx", Reach: ipv4, Secure: true}, "tls:192.0.2.77:5061")
	expect(t, d, Query{Host: "localhost", Reach: ipv4, Port: 5080}, "udp:127.0.0.1:5080")
	if got := s.questions(); len(got) != 0 {
		t.Errorf("asked %q", got)
	}
	expect(t, d, Query{Host: "example.com", Proto: reactor.TLS}, "tls:192.0.2.78:5061") // the target of an SRV record
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	expect(t, resolver(t, Config{Hosts: path}, "", s), Query{Host: "localhost", Reach: ipv4, Port: 5080}, "udp:127.0.0.1:5080")
}

// The files are read again when they change.
func TestFilesChange(t *testing.T) {
	s := serve(t, zone...)
	d := resolver(t, Config{Timeout: 100 * time.Millisecond}, "", &server{addr: "127.0.0.1:1"})
	expect(t, d, plainA)
	if err := os.WriteFile(d.files.resolvConf, []byte("nameserver 192.0.2.256\nnameserver "+s.addr+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.files.checked = time.Time{}
	expect(t, d, plainA, plainTarget)
	if n := len(d.files.current().servers); n != 1 {
		t.Errorf("%d servers", n)
	}
}

func TestSystemWithoutFiles(t *testing.T) {
	sys := readSystem("/nowhere/resolv.conf", "/nowhere/hosts")
	if len(sys.servers) != 2 || sys.servers[0].String() != "127.0.0.1:53" || sys.tries != 2 || sys.try != 5*second {
		t.Errorf("%+v", sys)
	}
	if !slices.Equal(sys.candidates("a", false), []string{"a."}) {
		t.Errorf("%q", sys.candidates("a", false))
	}
}
