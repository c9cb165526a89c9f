package script

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// allModules loads everything that can be loaded.
const allModules = `
socket=tls:127.0.0.1:5061 tag main
socket=tcp:127.0.0.1:5060
socket=udp:127.0.0.1:5060
alias=example.org
loadmodule "proto_tls.so"
loadmodule "proto_tcp.so"
loadmodule "proto_udp.so"
loadmodule "tls_mgm.so"
loadmodule "sl.so"
loadmodule "signaling.so"
loadmodule "maxfwd.so"
loadmodule "rr.so"
loadmodule "sipmsgops.so"
loadmodule "textops.so"
loadmodule "uri.so"
xlog_level=4
xlog_print_level=3
enable_asserts=1
`

// crlf makes messages of Go literals.
func crlf(s string) []byte {
	return []byte(strings.ReplaceAll(strings.TrimPrefix(s, "\n"), "\n", "\r\n"))
}

var invite = crlf(`
INVITE sip:+4930123@example.net:5070;transport=tls;user=phone SIP/2.0
Via: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bK776asdhds;rport
Max-Forwards: 69
From: "Alice A." <sip:alice@atlanta.example;x=1>;tag=1928301774
To: <sip:+4930123@example.net>
Call-ID: a84b4c76e66710@pc33
CSeq: 314159 INVITE
Contact: <sip:alice@10.0.0.9:5061;transport=tls>
User-Agent: tester 1.0
P-Note: one
P-Note: two, three
p-note: last
Content-Type: application/sdp
Content-Length: 14

v=0
o=- 1 1 x
`)

// sent is a message that a script has sent.
type sent struct {
	target reactor.Target
	text   string
}

// peer is what a Context sends by in tests.
type peer struct {
	sent   []sent
	fail   error
	remote netip.AddrPort // of what carries messages
}

func (p *peer) Send(t *reactor.Target, m reactor.Appender) (reactor.Outcome, error) {
	if p.fail != nil {
		return 0, p.fail
	}
	p.sent = append(p.sent, sent{*t, string(m.AppendTo(nil))})
	if t.Carrier != nil && p.remote.IsValid() {
		t.Carrier.Remote = p.remote
	}
	return reactor.Sent, nil
}

func (p *peer) Wait(f func()) bool { f(); return true }

// lines collects what is logged.
type lines struct {
	list  *[]string
	level slog.Level
}

func (l lines) Enabled(_ context.Context, level slog.Level) bool { return level >= l.level }
func (l lines) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l lines) WithGroup(string) slog.Handler                    { return l }

func (l lines) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "peer" && a.Value.String() == benchPeer {
			return true // it is that of all messages but where the peer is what is tested
		}
		text += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		return true
	})
	*l.list = append(*l.list, text)
	return nil
}

const benchPeer = "10.0.0.9:40000"

// bench is a proxy that a script routes, without an engine.
type bench struct {
	cfg  *Config
	peer *peer
	p    *proxy.Proxy
	c    *proxy.Context
	src  *reactor.Source
	log  []string
}

var benchSockets = []*reactor.Socket{
	{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("127.0.0.1:5061"), Tag: "main", Advertised: "edge.example.org", AdvertisedPort: 5061},
	{Proto: reactor.TCP, Addr: netip.MustParseAddrPort("127.0.0.1:5060")},
	{Proto: reactor.UDP, Addr: netip.MustParseAddrPort("127.0.0.1:5060")},
}

func newBench(t testing.TB, text string) *bench {
	t.Helper()
	cfg, err := compile("test.cfg", []byte(text))
	if err != nil {
		t.Fatalf("does not compile:\n%v", err)
	}
	return benchFor(t, cfg)
}

func newBenchOf(t testing.TB, path string) *bench {
	t.Helper()
	cfg, err := load(path)
	if err != nil {
		t.Fatalf("does not load:\n%v", err)
	}
	return benchFor(t, cfg)
}

func benchFor(t testing.TB, cfg *Config) *bench {
	t.Helper()
	b := &bench{cfg: cfg, peer: &peer{}}
	b.cfg.Program.SetLogger(slog.New(lines{&b.log, slog.LevelDebug}))
	p, err := proxy.New(b.cfg.Proxy, b.cfg.Program)
	if err != nil {
		t.Fatal(err)
	}
	p.SetSockets(benchSockets)
	b.p = p
	b.c = p.NewContext(b.peer)
	b.src = &reactor.Source{
		Conn: 7, Proto: reactor.TLS, Socket: benchSockets[0],
		Remote: netip.MustParseAddrPort(benchPeer), Local: netip.MustParseAddrPort("127.0.0.1:5061"),
	}
	return b
}

// receive hands the script a message.
func (b *bench) receive(message []byte) {
	b.log, b.peer.sent = nil, nil
	b.c.Receive(message, b.src)
}

// status gives the status codes of the responses that were sent.
func (b *bench) status() string {
	var codes []string
	for _, s := range b.peer.sent {
		if rest, ok := strings.CutPrefix(s.text, "SIP/2.0 "); ok {
			codes = append(codes, rest[:3])
		} else {
			codes = append(codes, s.text[:strings.IndexByte(s.text, ' ')])
		}
	}
	return strings.Join(codes, " ")
}

// runs a route's statements over an INVITE and gives what it logged.
func runs(t testing.TB, statements string) []string {
	t.Helper()
	b := newBench(t, allModules+"route {\n"+statements+"\n}\n")
	b.receive(invite)
	return b.log
}

func mustAddrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// lockedLogger is a logger that goroutines share with a test.
func lockedLogger(mu *sync.Mutex, list *[]string) *slog.Logger {
	return slog.New(lockedLines{lines{list, slog.LevelDebug}, mu})
}

type lockedLines struct {
	lines
	mu *sync.Mutex
}

func (l lockedLines) Handle(ctx context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Handle(ctx, r)
}
