package script

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
)

const tracerHead = allModules + `
loadmodule "proto_hep.so"
loadmodule "tracer.so"
modparam("proto_hep", "hep_id", "[homer]10.0.0.2:9060;transport=udp")
modparam("tracer", "trace_id", "[tid]uri=hep:homer")
modparam("tracer", "trace_id", "[other]uri=hep:homer")
`

// story is a MessageTrace that remembers: direction, first word, correlation id.
type story struct {
	name string
	off  bool
	told *[]string
	last struct {
		src  reactor.Source
		data string
	}
}

func (s *story) Active() bool { return !s.off }

func (s *story) Trace(src *reactor.Source, _ time.Time, data []byte, outgoing bool, correlation []byte) {
	way := "in"
	if outgoing {
		way = "out"
	}
	word, _, _ := strings.Cut(strings.TrimPrefix(string(data), "SIP/2.0 "), " ")
	*s.told = append(*s.told, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", s.name, way, word, correlation)))
	s.last.src, s.last.data = *src, string(data)
}

// traceBench is a script with a tracer.
func traceBench(t testing.TB, routes string) (b *bench, told *[]string, ids map[string]*story) {
	t.Helper()
	b, told = newBench(t, tracerHead+routes), new([]string)
	ids = map[string]*story{"tid": {name: "tid", told: told}, "other": {name: "other", told: told}}
	b.cfg.Program.SetTracer(func(name string) MessageTrace { return ids[name] })
	return b, told, ids
}

func (s *story) Line(_ *reactor.Source, _ time.Time, text, correlation []byte) {
	*s.told = append(*s.told, fmt.Sprintf("%s line %s %s", s.name, text, correlation))
}

func TestTrace(t *testing.T) {
	for statements, want := range map[string][]string{
		`trace("tid"); forward("tls:10.0.0.5");`:                                      {"tid in INVITE", "tid out INVITE"},
		`sip_trace("tid"); sl_send_reply(404, "No");`:                                 {"tid in INVITE", "tid out 404"},
		`forward("tls:10.0.0.5"); trace("tid");`:                                      {"tid in INVITE"},
		`trace("tid", "M", "sip"); trace("tid"); sl_send_reply(404, "No");`:           {"tid in INVITE", "tid out 404"},
		`trace("tid", "T"); sl_send_reply(404, "No");`:                                {"tid in INVITE", "tid out 404"},
		`trace("tid"); trace("other"); sl_send_reply(404, "No");`:                     {"tid in INVITE", "other in INVITE", "tid out 404", "other out 404"},
		`$var(id) = "other"; trace($var(id)); exit;`:                                  {"other in INVITE"},
		`trace("tid", "m", , , , "$ci"); sl_send_reply(404, "No");`:                   {"tid in INVITE a84b4c76e66710@pc33", "tid out 404 a84b4c76e66710@pc33"},
		`trace("tid", , , , "C"); sl_send_reply(100, "T"); forward("tls:10.0.0.5");`:  {"tid in INVITE", "tid out 100"},
		`trace("tid", , , , "c"); sl_send_reply(100, "T"); forward("tls:10.0.0.5");`:  {"tid out INVITE"},
		`trace("tid", , , , "Cc"); sl_send_reply(100, "T"); forward("tls:10.0.0.5");`: {"tid in INVITE", "tid out 100", "tid out INVITE"},
	} {
		b, told, _ := traceBench(t, "route {\n"+statements+"\n}\n")
		b.receive(invite)
		if !slices.Equal(*told, want) {
			t.Errorf("%s\ntells %q\nwant  %q", statements, *told, want)
		}
	}
}

// What is traced is the message as it stands on the wire, and where it goes; a
// response's way back is traced as the onreply_route says.
func TestTraceResponse(t *testing.T) {
	b, told, ids := traceBench(t, `route { forward("tls:10.0.0.5"); } onreply_route { trace("tid", , , , "c"); trace("other"); }`)
	b.receive(invite)
	request := b.peer.sent[0].text
	b.receive([]byte(responseTo(request)))
	if want := []string{"tid in 200", "other in 200", "other out 200"}; !slices.Equal(*told, want) {
		t.Errorf("tells %q, want %q", *told, want)
	}
	if last := ids["other"].last; last.data != b.peer.sent[0].text || last.src.Conn != 7 {
		t.Errorf("%+v", last)
	}
	// The next message is traced by nobody.
	*told = nil
	b.receive(invite)
	if len(*told) != 0 {
		t.Errorf("tells %q", *told)
	}
}

func TestTraceSwitchedOff(t *testing.T) {
	b, told, ids := traceBench(t, `route { if (trace("tid")) xlog("fine"); sl_send_reply(404, "No"); }`)
	ids["tid"].off = true
	b.receive(invite)
	if len(*told) != 0 || len(b.log) != 1 || b.log[0] != "fine" {
		t.Errorf("tells %q, logs %q", *told, b.log)
	}
	b.cfg.Program.SetTracer(func(string) MessageTrace { return nil })
	b.receive(invite)
	if len(*told) != 0 {
		t.Errorf("tells %q", *told)
	}
}

func TestTraceUnknownAtRuntime(t *testing.T) {
	b, told, _ := traceBench(t, `route { $var(id) = "nobody"; if (!trace($var(id))) xlog("no"); }`)
	b.receive(invite)
	if len(*told) != 0 || len(b.log) != 2 || !strings.Contains(b.log[0], "there is no trace_id nobody") {
		t.Errorf("tells %q, logs %q", *told, b.log)
	}
}

func TestTraceMistakes(t *testing.T) {
	for call, want := range map[string]string{
		`trace("tod")`:                  "there is no trace_id tod (did you mean tid?); there are: other tid",
		`trace()`:                       "there is no trace_id default; there are: other tid",
		`trace("tid", "b")`:             "scope b, a B2B session, which is not traced as one",
		`trace("tid", "x")`:             `scope x: "d" is a call`,
		`trace("tid", "m", "sip|smtp")`: "type smtp: there are sip and xlog",
		`trace("tid", "m", , , "x")`:    "has the flag x: there are C (the caller's side) and c",
	} {
		_, err := compile("cfg", []byte(tracerHead+"route {\n"+call+";\n}\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "cfg:") {
			t.Errorf("%s: %v", call, err)
		}
	}
	_, err := compile("cfg", []byte(allModules+`route { trace("tid"); }`))
	if err == nil || !strings.Contains(err.Error(), `loadmodule "tracer.so"`) {
		t.Errorf("without the module: %v", err)
	}
	cfg, err := compile("cfg", []byte(tracerHead+`route { trace("tid", "m", "sip", "$fu"); }`))
	if err != nil || len(cfg.Notes) == 0 || !strings.Contains(cfg.Notes[len(cfg.Notes)-1].Msg, "trace_attrs") {
		t.Errorf("attributes: %v, %v", err, cfg.Notes)
	}
}

// nowhereTo throws away what it is told.
type nowhereTo struct{ on bool }

func (n *nowhereTo) Active() bool                                           { return n.on }
func (n *nowhereTo) Line(*reactor.Source, time.Time, []byte, []byte)        {}
func (n *nowhereTo) Trace(*reactor.Source, time.Time, []byte, bool, []byte) {}

// A call of trace() allocates nothing, on or off; what the collector needs is
// its own business.
func TestTraceAllocatesNothing(t *testing.T) {
	b := newBench(t, tracerHead+`route { trace("tid", , , , , "$ci"); forward("tls:10.0.0.5"); }`)
	to := &nowhereTo{}
	b.cfg.Program.SetTracer(func(string) MessageTrace { return to })
	c := b.c.Proxy().NewContext(&silent{})
	for _, to.on = range []bool{false, true} {
		c.Receive(invite, b.src)
		if n := testing.AllocsPerRun(100, func() { c.Receive(invite, b.src) }); n != 0 && !raceDetector {
			t.Errorf("on %v: %v allocations", to.on, n)
		}
	}
}

// What tracer:start begins takes what its conditions hold for, without a word in
// the script, and the responses where they are wanted.
func TestBegunTraces(t *testing.T) {
	to := func(name string, b BegunTrace) BegunTrace {
		b.To = &story{name: name}
		return b
	}
	src := netip.MustParseAddr("192.0.2.9")
	for _, tt := range []struct {
		what string
		b    BegunTrace
		want []string
	}{
		{"everything", BegunTrace{}, []string{"x in INVITE", "x out INVITE"}},
		{"replies", BegunTrace{Responses: true}, []string{"x in INVITE", "x out INVITE", "x in 200", "x out 200"}},
		{"caller", BegunTrace{Caller: "alice", Callee: "+4930123", Responses: true}, []string{"x in INVITE", "x out INVITE", "x in 200", "x out 200"}},
		{"caller at host", BegunTrace{Caller: "alice@ATLANTA.example"}, []string{"x in INVITE", "x out INVITE"}},
		{"another host", BegunTrace{Caller: "alice@biloxi.example"}, nil},
		{"another callee", BegunTrace{Caller: "alice", Callee: "carol", Responses: true}, nil},
		{"case counts", BegunTrace{Caller: "Alice"}, nil},
		{"address", BegunTrace{IP: src, Responses: true}, []string{"x in INVITE", "x out INVITE", "x in 200", "x out 200"}},
		{"another address", BegunTrace{IP: netip.MustParseAddr("192.0.2.77"), Responses: true}, nil},
	} {
		b, told := newBench(t, tracerHead+`route { forward("tls:10.0.0.5"); }`), new([]string)
		one := to("x", tt.b)
		one.To.(*story).told = told
		b.src.Remote = netip.AddrPortFrom(src, 40000)
		b.peer.remote = b.src.Remote
		b.cfg.Program.SetBegunTraces([]BegunTrace{one})
		b.receive(invite)
		b.receive([]byte(responseTo(b.peer.sent[0].text)))
		if !slices.Equal(*told, tt.want) {
			t.Errorf("%s: tells %q, want %q", tt.what, *told, tt.want)
		}
		*told = nil
		b.cfg.Program.SetBegunTraces(nil)
		b.receive(invite)
		if len(*told) != 0 {
			t.Errorf("%s: after its end it tells %q", tt.what, *told)
		}
	}
}

// replyTo is a 200 to a request that was sent.
func responseTo(request string) string {
	var response strings.Builder
	response.WriteString("SIP/2.0 200 OK\r\n")
	for line := range strings.Lines(request) {
		for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(line, name) {
				response.WriteString(line)
			}
		}
	}
	response.WriteString("Content-Length: 0\r\n\r\n")
	return response.String()
}
