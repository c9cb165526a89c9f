package permissions

import (
	"fmt"
	"net/netip"
	"testing"

	"sipreactor/reactor"
)

func row(t testing.TB, id int64, group int, ip string, mask int, port uint16, proto, pattern string) Address {
	t.Helper()
	n, err := parseNetwork(ip, mask)
	if err != nil {
		t.Fatal(err)
	}
	p, err := parseRowProto(proto)
	if err != nil {
		t.Fatal(err)
	}
	info := fmt.Sprintf("info %d", id)
	return Address{ID: id, Group: group, Network: n, Port: port, Proto: p, Pattern: pattern, Info: &info}
}

func TestFind(t *testing.T) {
	table := newTable([]Address{
		row(t, 1, 4, "192.168.2.135", 32, 5700, "udp", "text*"),
		row(t, 2, 4, "192.168.2.0", 24, 0, "any", ""),
		row(t, 3, 5, "192.168.2.135", 32, 0, "tls", ""),
		row(t, 4, 6, "10.0.0.0", 8, 5060, "none", ""),
		row(t, 5, 7, "2001:db8::", 32, 0, "tcp", "?b[0-9]"),
		row(t, 6, 8, "10.1.1.1", 32, 0, "sctp", ""),
	})
	udp, tcp, tls := proto(reactor.UDP), proto(reactor.TCP), proto(reactor.TLS)
	for _, c := range []struct {
		name string
		q    question
		ip   string
		want int64
	}{
		{"exact", question{group: 4, port: 5700, proto: udp}, "192.168.2.135", 1},
		{"the pattern fits", question{group: 4, port: 5700, proto: udp, pattern: []byte("texttest")}, "192.168.2.135", 1},
		{"the pattern does not", question{group: 4, port: 5700, proto: udp, pattern: []byte("other")}, "192.168.2.135", 2},
		{"another port", question{group: 4, port: 5701, proto: udp}, "192.168.2.135", 2},
		{"any port asked", question{group: 4, proto: udp}, "192.168.2.135", 1},
		{"another transport", question{group: 4, port: 5700, proto: tls}, "192.168.2.135", 2},
		{"any transport asked", question{group: 5, proto: anyProto}, "192.168.2.135", 3},
		{"any group asked", question{proto: tls}, "192.168.2.135", 3},
		{"a mapped address", question{group: 4}, "::ffff:192.168.2.9", 2},
		{"another group", question{group: 9}, "192.168.2.9", 0},
		{"none never matches", question{group: 6}, "10.0.0.1", 0},
		{"IPv6", question{group: 7, proto: tcp, pattern: []byte("ab7")}, "2001:db8::7", 5},
		{"IPv6, another pattern", question{group: 7, proto: tcp, pattern: []byte("abc")}, "2001:db8::7", 0},
		{"a transport that is not spoken", question{group: 8, proto: udp}, "10.1.1.1", 0},
		{"asked for by name", question{group: 8, proto: sctpProto}, "10.1.1.1", 6},
	} {
		c.q.ip = netip.MustParseAddr(c.ip)
		var got int64
		if a := table.find(&c.q); a != nil {
			got = a.ID
		}
		if got != c.want {
			t.Errorf("%s: row %d, want %d", c.name, got, c.want)
		}
	}
}

func TestParseNetwork(t *testing.T) {
	for _, c := range []struct {
		ip   string
		mask int
		want string
	}{
		{"10.0.0.1", 32, "10.0.0.1/32"}, {" 10.0.0.1 ", 8, "10.0.0.0/8"}, {"[2001:db8::1]", 128, "2001:db8::1/128"},
		{"2001:db8::1", 32, "2001:db8::/32"}, {"10.0.0.1", -1, "10.0.0.1/32"}, {"10.0.0.1", 0, "0.0.0.0/0"},
		{"::ffff:10.0.0.1", 24, "10.0.0.0/24"},
		{"10.0.0.1", 33, ""}, {"gw.example", 32, ""}, {"fe80::1%eth0", 64, ""}, {"", 32, ""},
	} {
		p, err := parseNetwork(c.ip, c.mask)
		if got := p.String(); err == nil && got != c.want || err != nil && c.want != "" {
			t.Errorf("%q/%d is %s, %v", c.ip, c.mask, got, err)
		}
	}
	if _, err := parseRowProto("quic"); err == nil {
		t.Error("quic is a transport")
	}
}

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"abc", "abc", true}, {"abc", "abcd", false}, {"ab*", "abcd", true}, {"ab*", "a", false}, {"*", "", true},
		{"*@host/x", "u@host/x", true}, {"sip:*", "sip:a/b", true}, {"a*c", "a/b/c", true}, {"a?c", "abc", true}, {"[a-c]x", "bx", true},
		{`\*`, "*", true}, {`\*`, "a", false},
	} {
		if got := wildcard(c.pattern, []byte(c.text)); got != c.want {
			t.Errorf("%s with %s: %v", c.pattern, c.text, got)
		}
	}
	if checkWildcard("[a") == nil || checkWildcard("a*[b]?") != nil {
		t.Error("the wrong patterns are wrong")
	}
}
