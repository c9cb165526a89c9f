package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// tls_port is where a socket listens that names no port, and where a TLS URI
// without one leads. Not parallel: nobody else is to be given the free port.
func TestContractTLSPort(t *testing.T) {
	for range 2 {
		port := freePort(t)
		c := prepare(t)
		cfg, err := loader().Compile("contract.cfg", []byte("socket=tls:127.0.0.1\n"+c.text("modparam(\"proto_tls\", \"tls_port\", "+port+")\n")))
		if err != nil {
			t.Fatal(err)
		}
		n, err := newNode(t.Context(), cfg, newLogger(c.log, cfg.Log.Level, ""), nil)
		c.run(n, err)
		if got := c.addr("tls").String(); got != "127.0.0.1:"+port {
			t.Errorf("listening on %s, want port %s", got, port)
		}
		callee := c.callee("tls", "127.0.0.2:"+port)
		p := c.dial("tls")
		p.ask("sip:x@127.0.0.2;transport=tls")
		p.expect(200)
		if n := callee.Stats().Connections; n != 1 {
			t.Errorf("%d connections to the default port", n)
		}
	}
}

func TestContractMaxConnections(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, transport string) {
		for _, limit := range []int{2, 3} {
			c := start(t, core("tcp_max_connections", limit))
			peers := make([]*peer, 3)
			for i := range limit {
				peers[i] = c.dial(transport)
			}
			for _, p := range peers[:limit] {
				p.ask(here)
				p.expect(200)
			}
			c.knock(transport).expect(0) // one too many
			peers[0].Close()
			c.eventually("there is room", func() bool { return c.engine.Stats().Connections == limit-1 })
			p := c.dial(transport)
			p.ask(here)
			p.expect(200)
		}
	})
}

func TestContractSocketBacklog(t *testing.T) {
	t.Parallel()
	ss, err := exec.LookPath("ss")
	if err != nil {
		t.Skip("ss (iproute2) is not installed: nothing else tells a listener's backlog")
	}
	both(t, func(t *testing.T, transport string) {
		for _, backlog := range []string{"7", "11"} {
			c := start(t, core("tcp_socket_backlog", backlog))
			out, err := exec.CommandContext(t.Context(), ss, "-Hlnt", "src", c.addr(transport).String()).CombinedOutput()
			if err != nil {
				t.Skipf("ss tells nothing here: %v: %s", err, out)
			}
			// State, Recv-Q, Send-Q: of a listener the backlog.
			if f := strings.Fields(string(out)); len(f) < 3 || f[2] != backlog {
				t.Errorf("want a backlog of %s: %q", backlog, out)
			}
		}
	})
}

// keepalive is what the kernel knows of the node's end of a connection.
type keepalive struct {
	on                    bool
	idle, interval, count int
}

// keepaliveOf asks the kernel for the options of the process's own socket with
// these two ends. false: it has none just now.
func keepaliveOf(t *testing.T, local, remote netip.AddrPort) (k keepalive, ok bool) {
	t.Helper()
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc: ", err)
	}
	same := func(sa unix.Sockaddr, err error, want netip.AddrPort) bool {
		a, ok := sa.(*unix.SockaddrInet4)
		return err == nil && ok && netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)) == want
	}
	for _, d := range dir {
		fd, _ := strconv.Atoi(d.Name())
		own, err := unix.Getsockname(fd)
		if !same(own, err, local) {
			continue
		}
		if other, err := unix.Getpeername(fd); !same(other, err, remote) {
			continue
		}
		on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE)
		if err != nil {
			return k, false // closed meanwhile: a connection changes hands by a copy
		}
		k.on = on == 1
		for opt, to := range map[int]*int{unix.TCP_KEEPIDLE: &k.idle, unix.TCP_KEEPINTVL: &k.interval, unix.TCP_KEEPCNT: &k.count} {
			if *to, err = unix.GetsockoptInt(fd, unix.IPPROTO_TCP, opt); err != nil {
				return k, false
			}
		}
		return k, true
	}
	return k, false
}

// keepaliveTimer tells from the kernel's list of connections in how many
// seconds the next probe is due; 0 is never. false: the list has no such
// connection just now, which happens while others come and go.
func keepaliveTimer(t *testing.T, local, remote netip.AddrPort) (due int, ok bool) {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Skip("no /proc/net/tcp: ", err)
	}
	hex := func(a netip.AddrPort) string {
		b := a.Addr().As4()
		return fmt.Sprintf("%02X%02X%02X%02X:%04X", b[3], b[2], b[1], b[0], a.Port())
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) < 6 || f[1] != hex(local) || f[2] != hex(remote) {
			continue
		}
		kind, when, _ := strings.Cut(f[5], ":")
		ticks, _ := strconv.ParseInt(when, 16, 64)
		if kind != "02" { // 02 is the timer of keep-alive
			return 0, true
		}
		return int(ticks / 100), true // hundredths on every architecture
	}
	return 0, false
}

func TestContractKeepalive(t *testing.T) {
	t.Parallel()
	const idle = 5000 // seconds: not the system's default
	for name, tt := range map[string]struct {
		params string
		check  func(k keepalive) bool
	}{
		"off":           {core("tcp_keepalive", 0), func(k keepalive) bool { return !k.on }},
		"on":            {core("tcp_keepalive", 1), func(k keepalive) bool { return k.on }},
		"idle":          {core("tcp_keepidle", idle), func(k keepalive) bool { return k.on && k.idle == idle }},
		"another idle":  {core("tcp_keepidle", 33), func(k keepalive) bool { return k.on && k.idle == 33 }},
		"interval":      {core("tcp_keepinterval", 44), func(k keepalive) bool { return k.on && k.interval == 44 }},
		"next interval": {core("tcp_keepinterval", 45), func(k keepalive) bool { return k.on && k.interval == 45 }},
		"count":         {core("tcp_keepcount", 3), func(k keepalive) bool { return k.on && k.count == 3 }},
		"next count":    {core("tcp_keepcount", 4), func(k keepalive) bool { return k.on && k.count == 4 }},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, transport string) {
				c := start(t, tt.params)
				p := c.dial(transport)
				ends := make(chan net.Conn, 1)
				to := accepting(t, 0, func(conn net.Conn) { ends <- conn })
				p.ask(uri("x", transport, to))
				dialled := <-ends
				for side, ends := range map[string][2]netip.AddrPort{
					"accepted": {c.addr(transport), p.LocalAddr().(*net.TCPAddr).AddrPort()},
					"opened":   {dialled.RemoteAddr().(*net.TCPAddr).AddrPort(), to},
				} {
					c.eventually(side+" connection is as it should be", func() bool {
						k, ok := keepaliveOf(t, ends[0], ends[1])
						due, listed := keepaliveTimer(t, ends[0], ends[1])
						return ok && listed && tt.check(k) && due <= k.idle && (due > k.idle-60) == k.on
					})
				}
			})
		})
	}
}
