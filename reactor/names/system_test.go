package names

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
)

func TestParseHosts(t *testing.T) {
	hosts, _ := parseHosts(`# a comment
127.0.0.1	localhost
::1		localhost ip6-localhost # here
2001:db8::1 PBX.example.com pbx
192.0.2.1   pbx.example.com.
192.0.2.1   pbx.example.com
not.an.address x
fe80::1%eth0 linklocal
192.0.2.9
`)
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
	sys, wrong := readSystem("/nowhere/resolv.conf", "/nowhere/hosts")
	if !errors.Is(wrong, fs.ErrNotExist) {
		t.Errorf("wrong: %v", wrong)
	}
	if len(sys.servers) != 2 || sys.servers[0].String() != "127.0.0.1:53" || sys.tries != 2 || sys.try != 5*second {
		t.Errorf("%+v", sys)
	}
	if !slices.Equal(sys.candidates("a", false), []string{"a."}) {
		t.Errorf("%q", sys.candidates("a", false))
	}
}

// What is wrong with the files is told when they are read, and again when something else is.
func TestFilesThatAreWrong(t *testing.T) {
	dir := t.TempDir()
	resolvConf, hosts := filepath.Join(dir, "resolv.conf"), filepath.Join(dir, "hosts")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var told []string
	d := New(Config{ResolvConf: resolvConf, Hosts: hosts, Complain: func(err error) { told = append(told, err.Error()) }})
	expectTold := func(what string, parts ...string) {
		t.Helper()
		d.files.checked = time.Time{}
		d.files.current()
		if len(told) > 1 || (len(told) == 1) != (len(parts) > 0) {
			t.Errorf("%s: told %q", what, told)
		} else {
			for _, part := range parts {
				if !strings.Contains(told[0], part) {
					t.Errorf("%s: %q without %q", what, told[0], part)
				}
			}
		}
		told = nil
	}
	expectTold("no file", resolvConf, "no such file", "127.0.0.1:53")
	write(hosts, "192.0.2.1 a\n")
	expectTold("as before, but for the other file")
	write(resolvConf, "search example.com\n")
	expectTold("no server", "has no name server", "[::1]:53")
	write(resolvConf, "nameserver 192.0.2.1\n")
	expectTold("in order")
	write(resolvConf, "nameserver 192.0.2.1\nnameserver ns.example.com\n")
	expectTold("a server that is a name", `nameserver "ns.example.com"`)
	if got := d.files.current().servers; len(got) != 1 {
		t.Errorf("servers %v", got)
	}
	write(resolvConf, "nameserver 192.0.2.1\n")
	expectTold("in order again")
	write(hosts, "192.0.2.1 "+strings.Repeat("x", maxFile)+"\n")
	expectTold("a long file", hosts, "bytes")
	var many strings.Builder
	for i := range maxHostsName + 1 {
		fmt.Fprintf(&many, "192.0.2.1 n%d\n", i)
	}
	write(hosts, many.String())
	expectTold("many names", hosts, "names")
	if got := d.files.current().hosts; len(got["localhost"]) == 0 || len(got["n1"]) == 0 {
		t.Error("what was read does not count")
	}
	write(hosts, "# "+strings.Repeat("x", 1<<17)+"\n192.0.2.1 behind\n")
	expectTold("a long line")
	if got := d.files.current().hosts; len(got["behind"]) == 0 {
		t.Error("a long line hides what is behind it")
	}
	if err := os.Remove(resolvConf); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(resolvConf, 0o700); err != nil {
		t.Fatal(err)
	}
	expectTold("not to be read", "is a directory", "127.0.0.1:53")
}
