package script

import (
	"log/slog"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// silent is a Sender that costs nothing.
type silent struct{ buf []byte }

func (s *silent) Send(_ *reactor.Target, m reactor.Appender) (reactor.Outcome, error) {
	s.buf = m.AppendTo(s.buf[:0])
	return reactor.Sent, nil
}

func (s *silent) Wait(f func()) bool { f(); return true }

// quietBench is a proxy whose script logs nothing.
func quietBench(t testing.TB, path string) (*proxy.Context, *reactor.Source) {
	b := newBenchOf(t, path)
	b.cfg.Program.SetLogger(slog.New(lines{new([]string), slog.LevelError}))
	p, err := proxy.New(b.cfg.Proxy, b.cfg.Program)
	if err != nil {
		t.Fatal(err)
	}
	p.SetSockets(benchSockets)
	return p.NewContext(&silent{}), b.src
}

// BenchmarkEdge handles an INVITE by the routes of testdata/edge.cfg: ten calls
// of functions, four regular expressions, a text put together.
func BenchmarkEdge(b *testing.B) {
	c, src := quietBench(b, "testdata/edge.cfg")
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		c.Receive(invite, src)
	}
}

// BenchmarkProgram runs routes alone: conditions, a call with arguments, a loop of
// ten rounds, a text put together, and a line that is not written.
func BenchmarkProgram(b *testing.B) {
	n := newBench(b, strings.Replace(allModules, "xlog_level=4", "xlog_level=-3", 1)+`
route {
	if ($rU =~ "^00") $var(x) = "a"; else $var(x) = "sip:" + $rU + "@" + $rd;
	if (is_method("INVITE|ACK") && !has_totag() && $si == 10.0.0.0/8)
		route(count, "x$var(x)", 5);
	switch ($rm) { case "BYE": drop; case "INVITE": break; }
	xlog("L_INFO", "not written $ru");
}
route[count] {
	$var(i) = 0;
	while ($var(i) < 10) $var(i) += 1;
	if ($param(2) == 5 && $(param(1){s.len}) > 3) return(1);
}`)
	r := &repeated{p: n.cfg.Program, n: 10}
	n.c.Proxy().SetRouter(r)
	n.c.Receive(invite, n.src)
	r.n = b.N
	b.ReportAllocs()
	b.ResetTimer()
	n.c.Receive(invite, n.src)
}

// repeated runs the routes many times over one message.
type repeated struct {
	p *Program
	n int
}

func (r *repeated) Request(c *proxy.Context) {
	for range r.n {
		r.p.Request(c)
	}
}

func (r *repeated) Response(*proxy.Context) {}

// TestNoAllocations holds what the benchmarks show.
func TestNoAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector empties the pools of package regexp")
	}
	c, src := quietBench(t, "testdata/edge.cfg")
	other := []byte(strings.Replace(string(invite), "sip:+4930123@example.net:5070;transport=tls;user=phone", "sip:030555@h", 1))
	for range 10 {
		c.Receive(invite, src)
		c.Receive(other, src)
	}
	if n := testing.AllocsPerRun(200, func() { c.Receive(invite, src) }); n > 0 {
		t.Errorf("%v allocations for an INVITE", n)
	}
	if n := testing.AllocsPerRun(200, func() { c.Receive(other, src) }); n > 3 { // package regexp makes the list of matches of a substitution
		t.Errorf("%v allocations for an INVITE with a substitution", n)
	}
}
