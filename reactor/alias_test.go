package reactor

import (
	"bufio"
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor/internal/connection"
)

// A trunk that vanishes and reconnects with the same alias is reached at once;
// the connection before is sent a CRLF, and lives as long as that is taken.
func TestTrunkComesBack(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{}, func(c *Config) { c.Domains = lenient(t) })
		to := &Target{Proto: p, Addr: netip.MustParseAddrPort("127.0.0.1:5999"), NoNew: true}
		first := r.dial(p)
		h1 := r.only()
		second := r.dial(p)
		r.eventually("both are up", func() bool { return r.Stats().Established == 2 })
		var h2 Handle
		r.conns.Table.Each(func(c *connection.Conn) {
			if c.ID != h1 {
				h2 = c.ID
			}
		})
		if err := r.AddAlias(h1, 5999); err != nil {
			t.Fatal(err)
		}
		if err := r.AddAlias(h2+1<<40, 5998); err == nil {
			t.Error("a connection that is not there has an alias")
		}
		if err := r.AddAlias(h2, 5999); err != nil {
			t.Fatal(err)
		}
		m := request("MESSAGE", "x", 1, "")
		if _, err := r.Send(to, Bytes(m)); err != nil {
			t.Fatal(err)
		}
		if got, err := readMessage(bufio.NewReader(second)); got != m {
			t.Errorf("the new one got %q, %v", got, err)
		}
		ping := make([]byte, 10)
		if n, err := first.Read(ping); string(ping[:n]) != "\r\n" {
			t.Errorf("the old one got %q, %v", ping[:n], err)
		}
		if !r.Alive(h1) {
			t.Error("the old one was ended though it lives")
		}
		if log := r.log.String(); !strings.Contains(log, `level=WARN msg="alias moved to a newer connection"`) || !strings.Contains(log, "alias=127.0.0.1:5999") {
			t.Error("no line tells that the alias has another holder")
		}
	})
}
