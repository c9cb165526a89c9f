package script

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// memory is a Cache of a test.
type memory struct {
	mu   sync.Mutex
	m    map[string]string
	ttl  time.Duration
	fail error
}

func (c *memory) Get(key string) (string, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.m[key]
	return v, ok, c.fail
}

func (c *memory) Set(key, value string, ttl time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m[key], c.ttl = value, ttl
	return c.fail
}

func (c *memory) Remove(key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.m, key)
	return c.fail
}

func (c *memory) Add(_ string, n int64, ttl time.Duration) (int64, error) {
	c.ttl = ttl
	return 10 + n, c.fail
}

func (c *memory) Raw(string) ([][]any, error) {
	return [][]any{{"a", int64(1)}, {"b", nil}}, c.fail
}

// transactions is a module tm of a test, with a cache beside it.
type transactions struct {
	cache *memory
	made  int
	code  int
}

func (x *transactions) StartTransaction(*Machine) int { x.made++; return x.code }

func (x *transactions) module(*Config) *Module {
	return &Module{Name: "tm", Instance: x, Check: func(l *Loading) { l.Config.AddCache("test", x.cache) },
		Functions: []Function{{Name: "quick", Usage: "quick()", Routes: Anywhere, Build: func(*Args) Action { return func(*Machine) int { return 1 } }}}}
}

func (x *transactions) loader() *Loader {
	return &Loader{Modules: append([]Constructor{x.module}, testModules...)}
}

func waitingBench(t *testing.T, text string) (*bench, *transactions) {
	t.Helper()
	x := &transactions{cache: &memory{m: make(map[string]string)}, code: 1}
	cfg, err := x.loader().Compile("test.cfg", []byte(allModules+"loadmodule \"tm.so\"\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return benchFor(t, cfg), x
}

// TestCacheFunctions are those of the key-value interface.
func TestCacheFunctions(t *testing.T) {
	b, x := waitingBench(t, `route {
	if (cache_fetch("test", "credit_$fU", $var(v))) xlog("there"); else xlog("$rc");
	cache_store("test", "credit_$fU", "$rU", 1200); cache_fetch("test", "credit_$fU", $var(v)); xlog("$var(v)");
	$var(id) = "test"; cache_store($var(id), "n", "7"); cache_counter_fetch($var(id), "n", $avp(n)); $avp(n) += 1; xlog("$avp(n)");
	cache_add("test", "k", 5, 30, $var(s)); xlog("$var(s)"); cache_sub("test", "k", 3, 0, $var(s)); xlog("$var(s)");
	cache_remove("test", "n"); if (!cache_fetch("test", "n", $var(v))) xlog("gone");
	cache_raw_query("test", "GET $rU", "$avp(a);$avp(b)"); xlog("$(avp(a)[*]) <$(avp(b)[*])>");
	$var(id) = "none"; if (!cache_remove($var(id), "x")) xlog("no"); }`)
	b.receive(invite)
	const want = "-2|+4930123|8|15|7|gone|a,b <1,>|script: cache_remove(): there is no cache none at=test.cfg:28:26|no"
	if got := strings.Join(b.log, "|"); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	x.cache.fail = errors.New("the server is gone")
	b.receive(invite)
	if got := strings.Join(b.log, "|"); !strings.Contains(got, "-1|script: cache_store() failed error=the server is gone") && !strings.Contains(got, "cache_fetch() failed") {
		t.Error(got)
	}
	for text, want := range map[string]string{
		`cache_store("tst", "k", "v");`:            "there is no cache tst (did you mean test?)",
		`cache_raw_query("test", "q", "$var(x)");`: "expected AVPs joined by semicolons",
		`cache_fetch("test", "k", "x$var(x)");`:    "expected a variable that can be assigned to",
	} {
		_, err := x.loader().Compile("x.cfg", []byte(allModules+"loadmodule \"tm.so\"\nroute { "+text+" }"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got: %v\nwant: %s", text, err, want)
		}
	}
	if _, err := compile("x.cfg", []byte(allModules+`route { cache_store("local", "k", "v"); }`)); err == nil || !strings.Contains(err.Error(), `loadmodule "cachedb_local.so"`) {
		t.Error(err)
	}
}

// TestAsync runs the function in the transaction, then the resume route, and ends.
func TestAsync(t *testing.T) {
	b, x := waitingBench(t, `route { $avp(a) = 5; append_hf("X: y"); async(cache_fetch("test", "k", $var(v)), resume, 3); xlog("unreachable"); }
route[resume] { xlog("$rc $avp(a) $var(v) $rm"); sl_send_reply(200, "OK"); }`)
	x.cache.m["k"] = "v"
	b.receive(invite)
	if got := strings.Join(b.log, "|"); got != "1 5 v INVITE" || b.status() != "200" || x.made != 1 {
		t.Errorf("%s %s, %d transactions", got, b.status(), x.made)
	}
	delete(x.cache.m, "k")
	if b.receive(invite); b.log[0] != "-2 5 <null> INVITE" {
		t.Error(b.log)
	}
	x.code = 0
	if b.receive(invite); len(b.log) > 0 || len(b.peer.sent) > 0 {
		t.Errorf("a retransmission: %v", b.log)
	}
}

// TestLaunch runs the function beside the script, and then the report route.
func TestLaunch(t *testing.T) {
	b, x := waitingBench(t, `route { $var(x) = "text"; launch(cache_store("test", "$ci", "$rU $var(x) $si"), report, "of $var(x)"); $var(x) = "other"; setuser("changed"); launch(cache_remove("test", "none")); xlog("goes on"); }
route[report] { xlog("$rc <$param(1)> $rm"); }
startup_route { launch(cache_store("test", "start", "$var(none)x")); }`)
	var mu sync.Mutex
	b.cfg.Program.SetLogger(lockedLogger(&mu, &b.log))
	b.receive(invite)
	b.cfg.Program.Startup()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		x.cache.mu.Lock()
		stored, started := x.cache.m["a84b4c76e66710@pc33"], x.cache.m["start"]
		x.cache.mu.Unlock()
		mu.Lock()
		got := strings.Join(b.log, "|")
		mu.Unlock()
		if stored == "+4930123 text 10.0.0.9" && started == "<null>x" && strings.Contains(got, "1 <of text> <null>") && strings.Contains(got, "goes on") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%q %q %s", stored, started, got)
		}
	}
}

// TestLaunchKnowsTheCaller: what is launched sees the Call-ID that the script does.
func TestLaunchKnowsTheCaller(t *testing.T) {
	b, x := waitingBench(t, `route { launch(cache_store("test", "$ci", "$rU $ua")); }`)
	b.p.SetCallIDs(func([]byte) []byte { return []byte("the-callers-much-longer-one") })
	b.receive([]byte(strings.Replace(string(invite), "To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>;tag=b", 1)))
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		x.cache.mu.Lock()
		stored := x.cache.m["the-callers-much-longer-one"]
		x.cache.mu.Unlock()
		if stored == "+4930123 tester 1.0" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%q", stored)
		}
	}
}

// TestWaitingErrors are told when the configuration is loaded.
func TestWaitingErrors(t *testing.T) {
	x := &transactions{cache: &memory{}}
	for text, want := range map[string]string{
		`async(cache_remove("test", "k"));`:            "async() needs a resume route",
		`async("x", resume);`:                          "async() takes the call of a function first",
		`async(quick(), resume);`:                      "quick() never waits: it cannot stand in async()",
		`async(cache_remove("test", "k"), none);`:      "there is no route[none]",
		`async(cache_remove("test", "k"), resume, 0);`: "the time is a number of seconds from 1 on",
		`async(cache_remove("test", "k"), $var(x));`:   "the route is named by a constant",
		`launch();`: "takes 1 to 3 arguments, not 0",
		`launch(cache_remove("test", "k"), report);`: "sl_send_reply() cannot be used in event_route",
		`launch(cache_remove("test"));`:              "cache_remove() takes 2 arguments, not 1",
	} {
		_, err := x.loader().Compile("x.cfg", []byte(allModules+"loadmodule \"tm.so\"\nroute { "+text+` } route[resume] { exit; } route[report] { sl_send_reply(200, "OK"); }`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got: %v\nwant: %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		`route { exit; } startup_route { async(cache_remove("test", "k"), resume); } route[resume] { exit; }`: "async() cannot be used in startup_route",
	} {
		_, err := x.loader().Compile("x.cfg", []byte(allModules+"loadmodule \"tm.so\"\n"+text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got: %v\nwant: %s", text, err, want)
		}
	}
	if _, err := x.loader().Compile("x.cfg", []byte(allModules+`route { async(cache_remove("test", "k"), resume); } route[resume] { exit; }`)); err == nil {
		t.Error("async() without tm")
	}
}
