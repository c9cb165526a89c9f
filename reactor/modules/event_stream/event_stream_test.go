package event_stream_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/modules/event_stream"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/script"
)

// start runs a configuration whose events are heard.
func start(t *testing.T, text string) (*moduletest.Bench, *script.Background) {
	t.Helper()
	b := moduletest.New(t, moduletest.Head("event_stream")+text, event_stream.New)
	events := script.NewBackground(b.Config.Program)
	b.Config.Stop(nil)
	if err := b.Config.Start(script.Surroundings{Proxy: b.Proxy, Events: events}, nil); err != nil {
		t.Fatal(err)
	}
	events.Start()
	t.Cleanup(events.Close)
	return b, events
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func accept(t *testing.T, l net.Listener) (net.Conn, *json.Decoder) {
	t.Helper()
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(30 * time.Second))
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
	return c, json.NewDecoder(c)
}

func next(t *testing.T, d *json.Decoder) string {
	t.Helper()
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// again gives what sends another INVITE each time.
func again(b *moduletest.Bench) func() {
	n := 0
	return func() {
		n++
		b.Receive(bytes.Replace(moduletest.Invite, []byte("z9hG4bK"), fmt.Appendf(nil, "z9hG4bK%d", n), 1))
	}
}

const raise = `
route {
	$avp(name) = "one"; $avp(value) = "1\"";
	$avp(name) = "two"; $avp(value) = 2;
	raise_event("E_OWN", $avp(name), $avp(value));
	raise_event("E_OTHER", $avp(value));
}
`

// Notifications reach who has subscribed, over one connection, and over another when it was closed.
func TestNotifications(t *testing.T) {
	l, other := listen(t), listen(t)
	b, events := start(t, `startup_route { subscribe_event("E_OWN", "tcp:`+l.Addr().String()+`"); }`+raise)
	if err := events.Subscribe("E_OTHER", "tcp:"+other.Addr().String()+"/handle", time.Minute); err != nil {
		t.Fatal(err)
	}
	again := again(b)
	again()
	c, d := accept(t, l)
	const own = `{"jsonrpc":"2.0","method":"E_OWN","params":{"one":"1\"","two":2}}`
	if got := next(t, d); got != own {
		t.Error(got)
	}
	_, od := accept(t, other)
	if got := next(t, od); got != `{"jsonrpc":"2.0","method":"handle","params":["1\"",2]}` {
		t.Error(got)
	}
	again()
	if got := next(t, d); got != own {
		t.Error(got)
	}
	_ = c.Close()
	tcp := l.(*net.TCPListener)
	var anew net.Conn
	for end := time.Now().Add(30 * time.Second); anew == nil; { // an event may go out before the end of its connection shows
		again()
		_ = tcp.SetDeadline(time.Now().Add(50 * time.Millisecond))
		var err error
		if anew, err = l.Accept(); err != nil && time.Now().After(end) {
			t.Fatal(err)
		}
	}
	defer anew.Close()
	_ = anew.SetReadDeadline(time.Now().Add(30 * time.Second))
	d = json.NewDecoder(anew)
	if got := next(t, d); got != own {
		t.Error(got)
	}
	for _, socket := range []string{"tcp:1.2.3.4", "tcp::5", "tcp:1.2.3.4:5/"} {
		if err := events.Subscribe("E_OTHER", socket, 0); err == nil || !strings.Contains(err.Error(), "tcp:host:port/method") {
			t.Errorf("%s: %v", socket, err)
		}
	}
}

// Requests count by their answers: a result, an error, and none in time.
func TestRequests(t *testing.T) {
	l := listen(t)
	b, _ := start(t, `
modparam("event_stream", "reliable_mode", yes)
modparam("event_stream", "timeout", 3000)
modparam("event_stream", "event_param", "opensips_event")
startup_route { subscribe_event("E_OWN", "tcp:`+l.Addr().String()+`/take"); subscribe_event("E_OTHER", "tcp:`+l.Addr().String()+`/take"); }
`+raise)
	counts := func(want string) {
		t.Helper()
		waittest.For(t, "the statistics are "+want, func() bool {
			got := ""
			b.Config.ModuleStatistics(func(_ string, s *script.Statistic) { got += fmt.Sprint(s.Name, " ", s.Read(), " ") })
			return got == want
		})
	}
	again := again(b)
	again()
	var conns [2]net.Conn
	var calls [2]*json.Decoder
	var answers [2]func(string)
	for range answers { // one connection for each subscription
		c, d := accept(t, l)
		var call struct {
			ID     int
			Params json.RawMessage
		}
		if err := json.Unmarshal([]byte(next(t, d)), &call); err != nil || call.ID == 0 {
			t.Fatal(call, err)
		}
		which := 0
		switch string(call.Params) {
		case `{"opensips_event":"E_OWN","one":"1\"","two":2}`:
		case `["E_OTHER","1\"",2]`:
			which = 1
		default:
			t.Fatal(string(call.Params))
		}
		conns[which], calls[which] = c, d
		answers[which] = func(s string) { fmt.Fprintf(c, `{"jsonrpc":"2.0","id":%d,%s}`, call.ID, s) }
	}
	answers[0](`"result":8`)
	answers[1](`"error":{"code":1,"message":"no"}`)
	counts("events_sent 1 events_lost 1 ")
	// Both connections are there still: one is silent now, the other is closed, and made anew.
	again()
	_, _ = next(t, calls[0]), next(t, calls[1])
	_ = conns[1].Close()
	c, d := accept(t, l)
	_ = next(t, d)
	_ = c.Close()
	counts("events_sent 1 events_lost 3 ")
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, event_stream.New) }
