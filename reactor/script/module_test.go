package script

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

func TestModuleFunctions(t *testing.T) {
	s := &sample{}
	b := newSampleBench(t, s, `modparam("sample", "limit", 4)
modparam("sam.*|other", "name", "a")
modparam("sample", "name", "b")
route {
	sample_get("x$rU", $var(r)); xlog("$var(r) $avp(sample) $sample.calls $samples $(sample($var(r))[2])");
	sample_get("y", , 5); xlog("$avp(sample)");
	$sample(set) = "v";
	sample_on("end"); xlog("armed $rc");
	$var(kind) = "branch";
	sample_branch("each"); xlog("$var(kind) $rc");
}
failure_route[end] { xlog("failed $avp(kept) $(<reply>rs) $rm"); $avp(kept) = "later"; exit; }
branch_route[each] { $var(kind) = "changed"; drop; }
`)
	b.receive(invite)
	want := "got x+4930123 -1 1 1 GOT X+49301232\n5\narmed 1\nchanged 4"
	if got := strings.Join(b.log, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := strings.Join(s.names, " "); got != "a b set=v" || s.limit != 4 {
		t.Error(got, s.limit)
	}
	for _, n := range b.cfg.Notes {
		if strings.Contains(n.Msg, "never run") {
			t.Error(n)
		}
	}

	// What was armed runs later, with the transaction's AVPs and other message.
	c := b.c.Proxy().NewContext(b.peer)
	c.Receive(invite, b.src)
	kept := new(AVPs)
	b.log = nil
	reply := proxyMessage(t, "SIP/2.0 486 Busy\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n")
	if ended := s.armed.Run(c, Run{Kind: FailureRoute, Other: reply, AVPs: kept}); ended != Exited {
		t.Error(ended)
	}
	s.armed.Run(c, Run{Kind: FailureRoute, AVPs: kept})
	kept.Reset()
	s.armed.Run(c, Run{Kind: FailureRoute, AVPs: kept})
	want = "failed <null> 486 INVITE\nfailed later <null> INVITE\nfailed <null> <null> INVITE"
	if got := strings.Join(b.log, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestModuleErrors(t *testing.T) {
	for text, want := range map[string]string{
		`modparam("sample", "limit", 10)`:                                 `limit = 10 is not possible: it takes a number from 1 to 9 (calls)`,
		`modparam("sample", "name", "")`:                                  `name is empty`,
		`modparam("sample", "limt", 1)`:                                   `the module sample has no parameter limt (did you mean limit?)`,
		`modparam("sample", "limit", 7)`:                                  `cfg:21:29: limit is 7`,
		`modparam("sample", "end_route", "nowhere")`:                      `there is no route[nowhere]`,
		`route[x] { sample_arm("none"); }`:                                `there is no failure_route[none]`,
		`route[x] { sample_arm("ende"); } failure_route[end] {exit;}`:     `there is no failure_route[ende] (did you mean end?)`,
		`onreply_route { sample_arm("end"); } failure_route[end] {exit;}`: `sample_arm() cannot be used in onreply_route`,
		`route[x] { sample_get(); }`:                                      `sample_get() takes 1 to 3 arguments, not 0`,
		`route[x] { sample_get(,$var(x)); }`:                              `argument 1 of sample_get() must be given`,
		`route[x] { $sample($var(x)) = 1; }`:                              `the name is a constant`,
		`route[x] { $sample.calls = 1; }`:                                 `$sample.calls cannot be assigned to`,
		`modparam("sample", "width", 1)`:                                  `cfg:21:20: width of the module sample is not supported: calls are flat`,
		`route[x] { sample_all("x"); }`:                                   `sample_all() of the module sample is not supported: there are many`,
		`route[x] { xlog("$sampler"); }`:                                  `$sampler of the module sample is not supported: nobody samples`,
		`route[x] { sample_gt("x"); }`:                                    `unknown function sample_gt() (did you mean sample_get?)`,
	} {
		_, err := compileSample(&sample{}, sampleHead+text+"\nroute { exit; }\n")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n%v\nwant %s", text, err, want)
		}
	}
	if _, err := compileSample(&sample{}, allModules+"route { sample_all(); }\n"); err == nil || !strings.Contains(err.Error(), "sample_all() of the module sample is not supported") {
		t.Errorf("not loaded: %v", err)
	}
	_, err := compileSample(&sample{}, allModules+"route { sample_get(\"x\"); xlog(\"$samples\"); }\n")
	if err == nil || !strings.Contains(err.Error(), `sample_get() is of the module sample, which is not loaded: loadmodule "sample.so"`) {
		t.Error(err)
	}
}

// Whom nothing arms is told; the local_route is the module's.
func TestModuleRoutes(t *testing.T) {
	cfg, err := compileSample(&sample{}, sampleHead+`route { sample_arm($var(x)); }
failure_route[any] { exit; }
branch_route[none] { exit; }
local_route { exit; }
event_route[E_SAMPLE] { xlog("$param(who) $param(n)"); }
event_route[E_OTHER] { exit; }`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range cfg.Notes {
		if strings.Contains(n.Msg, "never run") {
			got = append(got, n.Msg)
		}
	}
	if len(got) != 2 || !strings.HasPrefix(got[0], "branch_route[none] is checked but never run: nothing here arms it") ||
		!strings.HasPrefix(got[1], "event_route[E_OTHER] is checked but never run: there is no such event") {
		t.Error(got)
	}
	if cfg.Program.Route(LocalRoute, "") == nil || cfg.Program.Route(FailureRoute, "any") == nil || cfg.Program.Route(FailureRoute, "x") != nil {
		t.Error("the routes are not found")
	}
}

func TestModuleLife(t *testing.T) {
	load := func(s *sample) *Config {
		cfg, err := compileSample(s, sampleHead+`route { exit; }
event_route[E_SAMPLE] { xlog("$param(who) $param(n)"); }`)
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	one, two, three := &sample{}, &sample{fails: ErrRestart}, &sample{}
	first, second, third := load(one), load(two), load(three)
	b := benchFor(t, first)
	background := NewBackground(first.Program)
	if err := first.Start(Surroundings{Events: background}, nil); err != nil || !one.started || one.previous != nil {
		t.Fatal(err, one.started)
	}
	if err := second.Start(Surroundings{}, first); !errors.Is(err, ErrRestart) || two.previous != one || len(two.stopped) != 0 {
		t.Fatal(err, two.previous, two.stopped)
	}
	if len(one.stopped) != 0 {
		t.Error("who goes on was stopped")
	}
	if err := third.Start(Surroundings{}, first); err != nil || three.previous != one {
		t.Fatal(err)
	}
	ran, gone := make(chan struct{}), make(chan struct{})
	one.env.Every(time.Millisecond, func(context.Context) { panic("logged") })
	one.env.Go(func(ctx context.Context) { close(ran); <-ctx.Done(); close(gone) })
	<-ran
	background.Start()
	one.env.Raise("E_SAMPLE", NumberParam("n", 3), TextParam("who", "me"))
	for deadline := time.Now().Add(30 * time.Second); len(background.watch.Load().events) > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	background.Close()
	if len(b.log) != 1 || b.log[0] != "me 3" {
		t.Error(b.log)
	}
	if !one.env.Heard("E_SAMPLE") || one.env.Heard("E_OTHER") {
		t.Error("who listens is not told")
	}
	first.Stop(third)
	select {
	case <-gone:
	default:
		t.Error("Stop did not wait for the goroutine")
	}
	if len(one.stopped) != 1 || one.stopped[0] != three {
		t.Error(one.stopped)
	}
	third.Stop(nil)
	if len(three.stopped) != 1 || three.stopped[0] != nil {
		t.Error(three.stopped)
	}
}

// Modules that others need are started before them and stopped behind them.
func TestModuleOrder(t *testing.T) {
	var order []string
	named := func(name string, needs ...string) Constructor {
		return func(*Config) *Module {
			return &Module{Name: name, Needs: needs,
				Start: func(*Env) error { order = append(order, name); return nil },
				Stop:  func(any) { order = append(order, "-"+name) }}
		}
	}
	list := append([]Constructor{named("acc", "tm"), named("tm", "rrx"), named("rrx")}, testModules...)
	text := allModules + "loadmodule \"acc.so\"\nloadmodule \"tm.so\"\n"
	l := Loader{Modules: list}
	_, err := l.Compile("cfg", []byte(text+"route { exit; }"))
	if err == nil || !strings.Contains(err.Error(), `cfg:21:12: the module tm needs the module rrx: loadmodule "rrx.so"`) {
		t.Error(err)
	}
	cfg, err := l.Compile("cfg", []byte(text+"loadmodule \"rrx.so\"\nroute { exit; }"))
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.Start(Surroundings{}, nil); err != nil {
		t.Fatal(err)
	}
	cfg.Stop(nil)
	if got := strings.Join(order, " "); got != "rrx tm acc -acc -tm -rrx" {
		t.Error(got)
	}
}

func proxyMessage(t *testing.T, text string) *sipframe.Message {
	t.Helper()
	m := new(sipframe.Message)
	if err := m.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return m
}

// AVPs that were saved are copies, and saving and loading them costs no garbage.
func TestAVPs(t *testing.T) {
	cfg, err := compile("cfg", []byte(allModules+`route { $avp(a) = "one"; $avp(a) = 2; $avp(b) = $rU; exit; }`))
	if err != nil {
		t.Fatal(err)
	}
	m := cfg.Program.machine()
	m.reset(&proxy.Context{Msg: proxyMessage(t, string(invite))}, RequestRoute)
	m.call(cfg.Program.request, nil)
	kept := new(AVPs)
	m.SaveAVPs(kept)
	m.reset(&proxy.Context{Msg: proxyMessage(t, string(invite))}, RequestRoute)
	m.LoadAVPs(kept)
	a := &AVP{0}
	if a.Len(m) != 2 || string(m.Text(a.Get(m, 0))) != "2" || string(m.Text(a.Get(m, 1))) != "one" || !a.Get(m, 2).IsNull() {
		t.Error(m.avps)
	}
	if n := testing.AllocsPerRun(100, func() { m.arena = m.arena[:0]; m.LoadAVPs(kept); m.SaveAVPs(kept) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	a.RemoveFirst(m)
	a.Append(m, Int(9))
	if string(m.Text(a.Get(m, 0))) != "one" || string(m.Text(a.Get(m, 1))) != "9" {
		t.Error(m.avps)
	}
	a.Set(m, Int(1))
	if a.Len(m) != 1 {
		t.Error(m.avps)
	}
	a.Clear(m)
	if a.Len(m) != 0 {
		t.Error(m.avps)
	}
	for range maxAVPs {
		a.Add(m, Int(1))
	}
	if a.Add(m, Int(1)) || a.Append(m, Int(1)) {
		t.Error("there is no bound")
	}
}

// A module's counts go on over a reload, and both configurations count in the same.
func TestCountsOutliveReload(t *testing.T) {
	counting := func(n *Count, group string) *Config {
		t.Helper()
		l := Loader{Modules: append([]Constructor{func(*Config) *Module {
			return &Module{Name: "counting", Statistics: []Statistic{{Name: "n", Group: group, Help: "Counted.", Count: n}}}
		}}, testModules...)}
		cfg, err := l.Compile("cfg", []byte(allModules+"loadmodule \"counting.so\"\nroute { exit; }\n"))
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	value := func(cfg *Config) (n uint64) {
		cfg.ModuleStatistics(func(_ string, s *Statistic) {
			if s.Name == "n" {
				n = s.Read()
			}
		})
		return n
	}
	var first, second, third, other Count
	configs := []*Config{counting(&first, ""), counting(&second, ""), counting(&third, "")}
	var previous *Config
	for i, n := range []*Count{&first, &second, &third} {
		if err := configs[i].Start(Surroundings{}, previous); err != nil {
			t.Fatal(err)
		}
		if previous != nil {
			previous.Stop(configs[i])
		}
		previous = configs[i]
		n.Add(10)
	}
	first.Add(1) // a message goes on by the first
	if got := value(configs[2]); got != 31 || value(configs[0]) != 31 {
		t.Errorf("%d, and %d by the first", got, value(configs[0]))
	}
	another := counting(&other, "another")
	if err := another.Start(Surroundings{}, configs[2]); err != nil {
		t.Fatal(err)
	}
	if other.Add(1); value(another) != 1 {
		t.Errorf("one of another group goes on: %d", value(another))
	}
}
