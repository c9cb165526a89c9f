package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
	"sipreactor/reactor"
)

// The contract tests set a parameter in the text of a configuration and look
// at what a peer sees of it, over sockets. A row that tls: and tcp: share runs
// for both.

// patience bounds every wait for what must come: nobody waits for it in vain
// but a test that fails.
const patience = 20 * time.Second

// quietTime is how long a peer listens for what must not come. What is waited
// for would come after fast, if the parameter had the test's other value; long
// is out of a test's reach. Who waits for next to nothing has left long before
// slow is over, on a busy machine too; he may be there yet when fast is.
const (
	fast      = 150 * time.Millisecond
	quietTime = 400 * time.Millisecond
	slow      = 3 * time.Second
	long      = 30 * time.Second
)

var transports = []string{"tls", "tcp"}

// both runs a row for each transport.
func both(t *testing.T, row func(t *testing.T, transport string)) {
	t.Helper()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) { t.Parallel(); row(t, transport) })
	}
}

// set writes the parameter of a transport's module: set("tls", "async", 0) is
// tls_async of proto_tls.
func set(transport, name string, value any) string {
	return fmt.Sprintf("modparam(\"proto_%s\", \"%s_%s\", %v)\n", transport, transport, name, value)
}

// core writes a global parameter.
func core(name string, value any) string { return fmt.Sprintf("%s=%v\n", name, value) }

// ms writes a time as the parameters take it.
func ms(d time.Duration) int { return int(d / time.Millisecond) }

var authority = sync.OnceValues(load.NewAuthority)

// contract is a node made from a configuration text.
type contract struct {
	*testing.T
	*node
	ca  *load.Authority
	dir string // with the certificates: edge of the server, out of the client domain
	log *output

	written atomic.Uint64 // bytes that peers have sent
}

const contractModules = `log_level=4
loadmodule "proto_tls.so"
loadmodule "proto_tcp.so"
loadmodule "tls_openssl.so"
loadmodule "tls_mgm.so"
loadmodule "sl.so"
modparam("tls_mgm", "server_domain", "edge")
modparam("tls_mgm", "certificate", "[edge]DIR/edge.pem")
modparam("tls_mgm", "private_key", "[edge]DIR/edge.key")
modparam("tls_mgm", "verify_cert", "[edge]0")
modparam("tls_mgm", "require_cert", "[edge]0")
modparam("tls_mgm", "client_domain", "out")
modparam("tls_mgm", "match_ip_address", "[out]*")
modparam("tls_mgm", "certificate", "[out]DIR/out.pem")
modparam("tls_mgm", "private_key", "[out]DIR/out.key")
modparam("tls_mgm", "ca_list", "[out]DIR/ca.pem")
`

// contractRoute answers what is for "here" and forwards the rest. That a
// destination failed at once shows as 480; the proxy's own word for one that
// failed later is 503.
const contractRoute = `
route {
	if ($rU == "here") {
		sl_send_reply(200, "OK");
		exit;
	}
	if ($rU == "bound")
		setbflag(BOUND);
	if (!forward())
		sl_send_reply(480, "Unreachable");
}
`

// generous are times that no busy machine runs out of, for all that a row is
// not about.
func generous() string {
	var b strings.Builder
	for _, p := range transports {
		for _, name := range []string{"send_timeout", "async_local_connect_timeout"} {
			b.WriteString(set(p, name, ms(long)))
		}
	}
	b.WriteString(set("tls", "handshake_timeout", ms(long)) + set("tls", "async_handshake_timeout", ms(long)))
	b.WriteString(core("tcp_connect_timeout", ms(long)) + core("tcp_async_connect_timeout", ms(long)))
	b.WriteString(core("tcp_max_msg_time", int(long/time.Second)))
	return b.String()
}

// start runs a node with parameters, on a tls: and a tcp: socket whose ports the
// kernel chooses.
func start(t *testing.T, params ...string) *contract {
	t.Helper()
	c := prepare(t)
	text := "socket=tls:127.0.0.1:5061\nsocket=tcp:127.0.0.1:5060\n" + c.text(params...)
	cfg, err := loader().Compile("contract.cfg", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Program.SetLogger(newLogger(c.log, cfg.Log.Script, ""))
	chosen := netip.MustParseAddrPort("127.0.0.1:0")
	sockets := []reactor.SocketConfig{{Proto: reactor.TLS, Addr: chosen}, {Proto: reactor.TCP, Addr: chosen}}
	n, err := assemble(cfg, sockets, newLogger(c.log, cfg.Log.Level, ""), nil)
	c.run(n, err)
	return c
}

// prepare makes the files that a configuration needs.
func prepare(t *testing.T) *contract {
	t.Helper()
	c := &contract{T: t, dir: t.TempDir(), log: newOutput()}
	var err error
	if c.ca, err = authority(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"edge", "out"} {
		if err := c.ca.Write(c.dir, name, "ecdsa", "127.0.0.1"); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// text is a configuration but for its sockets.
func (c *contract) text(params ...string) string {
	return strings.ReplaceAll(contractModules+generous()+strings.Join(params, ""), "DIR", c.dir) + contractRoute
}

// run starts the node until the end of the test.
func (c *contract) run(n *node, err error) {
	c.Helper()
	if err == nil {
		c.node = n
		err = n.engine.Start()
	}
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() {
		// What still waits for a peer that does nothing need not be waited for.
		ctx, cancel := context.WithTimeout(context.Background(), fast)
		defer cancel()
		_ = n.engine.Stop(ctx)
		if c.Failed() {
			c.Logf("log:\n%s", c.log)
		}
	})
}

// addr is where the node listens.
func (c *contract) addr(transport string) netip.AddrPort {
	for _, s := range c.engine.Sockets() {
		if s.Proto.String() == transport {
			return s.Addr
		}
	}
	c.Fatalf("no %s socket", transport)
	return netip.AddrPort{}
}

// eventually waits until a condition holds.
func (c *contract) eventually(what string, ok func() bool) {
	c.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			c.Fatalf("never: %s", what)
		}
	}
}

// chunk sends a part of a stream and waits until the node has read it, so that
// what follows comes with another read. No destination may send meanwhile.
func (c *contract) chunk(p *peer, text string) {
	c.Helper()
	p.send(text)
	c.eventually("the bytes are read", func() bool { return c.engine.Stats().BytesIn >= c.written.Load() })
}
