package rtpengine

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/script"
)

// TestNotifications: what rtpengine notifies of raises the event with the nodes of its JSON, before and behind a reload; what
// is no JSON does nothing. The socket is closed at the end.
func TestNotifications(t *testing.T) {
	at := freePort(t)
	text := head("udp:127.0.0.1:9", fmt.Sprintf(`"notification_sock", %q`, at)) + `
route { exit; }
event_route[E_RTPENGINE_NOTIFICATION] { xlog("$param(type) $param(callid) $param(source_tag) $param(event) $param(volume) $param(duration)"); }
`
	b := moduletest.New(t, text, New, sl.New)
	b.Config.Stop(nil)
	events := script.NewBackground(b.Config.Program)
	around := script.Surroundings{Proxy: b.Proxy, Events: events, Log: slog.New(slog.DiscardHandler)}
	if err := b.Config.Start(around, nil); err != nil {
		t.Fatal(err)
	}
	events.Start()
	t.Cleanup(events.Close)
	conn, err := net.Dial("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	notify := func(event int) {
		t.Helper()
		for _, text := range []string{"no JSON", "[1]", fmt.Sprintf(`{"callid":"c1","source_tag":"a","tags":["x"],"type":"DTMF","timestamp":1700000000,"source_ip":"10.0.0.9","event":%d,"duration":100,"volume":-8}`, event)} {
			if _, err := conn.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	heard := func(want string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			got := strings.Join(b.Lines(), "|")
			if got == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%q, want %q", got, want)
			}
		}
	}
	notify(5)
	heard("DTMF c1 a 5 -8 100")
	l := script.Loader{Modules: []script.Constructor{New, sl.New, proto_tls.New}}
	next, err := l.Compile("test.cfg", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Start(around, b.Config); err != nil {
		t.Fatal(err)
	}
	b.Config.Stop(next)
	notify(6)
	heard("DTMF c1 a 5 -8 100|DTMF c1 a 6 -8 100")
	next.Stop(nil)
	again, err := net.ListenPacket("udp", at)
	if err != nil {
		t.Fatalf("the socket is open yet: %v", err)
	}
	again.Close()
	if err := b.Config.Start(around, nil); err != nil { // for the end of the test, which stops it
		t.Fatal(err)
	}
}
