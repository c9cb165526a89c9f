// Package moduletest runs configurations without an engine, for the tests of
// modules: messages go in, and what was sent and logged is looked at.
package moduletest

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/proto_tcp"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/proto_udp"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// Bench is a proxy that a configuration routes.
type Bench struct {
	Config *script.Config
	Proxy  *proxy.Proxy
	// Commands are the modules' management commands.
	Commands *rpc.Dispatcher
	// Context is what messages are handled with.
	Context *proxy.Context
	// Source is where they come from: by TLS from 10.0.0.9 to 127.0.0.1:5061.
	Source *reactor.Source
	// Log is what the last message had logged, Sent what was sent for it.
	Log  []string
	Sent []Sent
	// Fail is the error of each Send; nil: it works.
	Fail error
	// OnWait is called once, while the message waits for something: others may come then. nil: none do.
	OnWait func()

	logged sync.Mutex // of Log
}

// Sent is a message that was sent.
type Sent struct {
	Target reactor.Target
	Text   string
}

// Invite is a request.
var Invite = CRLF(`
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

// CRLF makes messages of Go literals: a first line end is dropped, the others become
// CRLF.
func CRLF(s string) []byte {
	return []byte(strings.ReplaceAll(strings.TrimPrefix(s, "\n"), "\n", "\r\n"))
}

// Head is the beginning of a configuration: a socket, and loadmodule for the
// modules.
func Head(modules ...string) string {
	b := new(strings.Builder)
	b.WriteString("socket=tls:127.0.0.1:5061\nalias=example.org\nxlog_level=4\nxlog_print_level=3\n")
	for _, m := range append([]string{"proto_tls"}, modules...) {
		fmt.Fprintf(b, "loadmodule %q\n", m+".so")
	}
	return b.String()
}

// Sockets are what the bench listens on.
var Sockets = []*reactor.Socket{
	{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("127.0.0.1:5061"), Tag: "main", Advertised: "edge.example.org", AdvertisedPort: 5061},
	{Proto: reactor.TCP, Addr: netip.MustParseAddrPort("127.0.0.1:5060")},
	{Proto: reactor.UDP, Addr: netip.MustParseAddrPort("127.0.0.1:5060")},
}

// New makes a bench of a configuration and the modules that it loads. The modules are
// started, and stopped at the end of the test.
func New(t testing.TB, text string, modules ...script.Constructor) *Bench {
	t.Helper()
	return In(t, t.TempDir(), text, modules...)
}

// In is New with a state_dir, which may be that of another life.
func In(t testing.TB, dir, text string, modules ...script.Constructor) *Bench {
	t.Helper()
	l := script.Loader{Modules: with(modules)}
	tried(t, l, text)
	cfg, err := l.Compile("test.cfg", []byte(text))
	if err != nil {
		t.Fatalf("does not compile:\n%v", err)
	}
	b := &Bench{Config: cfg}
	log := slog.New(lines{&b.logged, &b.Log})
	cfg.Program.SetLogger(log)
	if b.Proxy, err = proxy.New(cfg.Proxy, cfg.Router()); err != nil {
		t.Fatal(err)
	}
	b.Proxy.SetSockets(Sockets)
	running := make(chan struct{})
	close(running)
	b.Commands = rpc.NewDispatcher(log)
	if err := b.Commands.Register(cfg.Commands()...); err != nil {
		t.Fatal(err)
	}
	if err := cfg.Start(script.Surroundings{Log: log, Sockets: Sockets, Proxy: b.Proxy, Commands: b.Commands, StateDir: dir, Running: running}, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cfg.Stop(nil) })
	b.Context = b.Proxy.NewContext(sender{b})
	b.Source = &reactor.Source{
		Conn: 7, Proto: reactor.TLS, Socket: Sockets[0],
		Remote: netip.MustParseAddrPort("10.0.0.9:40000"), Local: netip.MustParseAddrPort("127.0.0.1:5061"),
	}
	return b
}

// tried starts the configuration's modules for a trial, as -C does, and stops them again.
func tried(t testing.TB, l script.Loader, text string) {
	t.Helper()
	cfg, err := l.Compile("test.cfg", []byte(text))
	if err != nil {
		t.Fatalf("does not compile:\n%v", err)
	}
	if err := cfg.Try(slog.New(slog.DiscardHandler), Sockets); err != nil {
		t.Errorf("what starts fails in a trial:\n%v", err)
	}
}

// Receive hands the configuration a message.
func (b *Bench) Receive(message []byte) {
	b.logged.Lock()
	b.Log, b.Sent = nil, nil
	b.logged.Unlock()
	b.Context.Receive(message, b.Source)
}

// Lines gives what was logged since the last message, for a module that logs in the
// background, too.
func (b *Bench) Lines() []string {
	b.logged.Lock()
	defer b.logged.Unlock()
	return slices.Clone(b.Log)
}

// Status gives the status codes of the responses, and the methods of the requests, that
// were sent.
func (b *Bench) Status() string {
	var codes []string
	for _, s := range b.Sent {
		if rest, ok := strings.CutPrefix(s.Text, "SIP/2.0 "); ok {
			codes = append(codes, rest[:3])
		} else {
			codes = append(codes, s.Text[:strings.IndexByte(s.Text, ' ')])
		}
	}
	return strings.Join(codes, " ")
}

// Logs runs a route's statements over the Invite and returns what it logged.
func Logs(t testing.TB, head, statements string, modules ...script.Constructor) []string {
	t.Helper()
	b := New(t, head+"route {\n"+statements+"\n}\n", modules...)
	b.Receive(Invite)
	return b.Log
}

// Wrong compiles a configuration that has errors and returns their text; the test
// fails if it has none.
func Wrong(t testing.TB, text string, modules ...script.Constructor) string {
	t.Helper()
	l := script.Loader{Modules: with(modules)}
	_, err := l.Compile("test.cfg", []byte(text))
	if err == nil {
		t.Fatalf("it compiles:\n%s", text)
	}
	return err.Error()
}

// Documented checks that whatever the modules declare has a line of help.
func Documented(t testing.TB, modules ...script.Constructor) {
	t.Helper()
	for _, m := range script.Reference(modules) {
		for _, lacking := range m.Undocumented() {
			t.Errorf("module %s: %s has no help", m.Name, lacking)
		}
	}
}

type sender struct{ b *Bench }

func (s sender) Send(t *reactor.Target, m reactor.Appender) (reactor.Outcome, error) {
	if s.b.Fail != nil {
		return 0, s.b.Fail
	}
	s.b.Sent = append(s.b.Sent, Sent{*t, string(m.AppendTo(nil))})
	return reactor.Sent, nil
}

func (s sender) Wait(f func()) bool {
	if meanwhile := s.b.OnWait; meanwhile != nil {
		s.b.OnWait = nil
		meanwhile()
	}
	f()
	return true
}

// lines collects what is logged.
type lines struct {
	mu   *sync.Mutex
	list *[]string
}

func (l lines) Enabled(context.Context, slog.Level) bool { return true }
func (l lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l lines) WithGroup(string) slog.Handler            { return l }

func (l lines) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	*l.list = append(*l.list, text)
	return nil
}

// Codes runs each call over the Invite and compares the code that it gives with the
// one that is wanted.
func Codes(t *testing.T, head string, want map[string]string, modules ...script.Constructor) {
	t.Helper()
	for call, code := range want {
		log := Logs(t, head, call+`; xlog("code $rc");`, modules...)
		if len(log) == 0 || log[len(log)-1] != "code "+code {
			t.Errorf("%s: %v, want %s", call, log, code)
		}
	}
}

// Header returns the values of a header of the message, joined by |.
func (s Sent) Header(name string) string {
	var all []string
	head, _, _ := strings.Cut(s.Text, "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		if n, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(n, name) {
			all = append(all, strings.TrimSpace(v))
		}
	}
	return strings.Join(all, "|")
}

// with adds modules that most configurations load: those of the protocols, and
// sipmsgops.
func with(modules []script.Constructor) []script.Constructor {
	return append([]script.Constructor{proto_tcp.New, proto_tls.New, proto_udp.New, sipmsgops.New}, modules...)
}

// Verified is a module with the function verified(), which has the request's last
// credentials count as those that were verified.
func Verified(*script.Config) *script.Module {
	return &script.Module{Name: "verified", Functions: []script.Function{{
		Name: "verified", Usage: "verified()", Help: "Has the last credentials count as verified.", Routes: script.Requests,
		Build: func(*script.Args) script.Action {
			return func(x *script.Machine) int {
				last := -1
				for _, kind := range []sipframe.HeaderKind{sipframe.HeaderAuthorization, sipframe.HeaderProxyAuthorization} {
					for i := x.Message().Find(kind); i >= 0; i = x.Message().FindNext(kind, i) {
						last = i
					}
				}
				if last < 0 {
					return -1
				}
				x.Context().SetVerified(last)
				return 1
			}
		},
	}}}
}
