package event_datagram_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/event_datagram"
	"sipreactor/reactor/modules/event_route"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/script"
)

// start runs a configuration whose events are heard.
func start(t *testing.T, text string) (*moduletest.Bench, *script.Background) {
	t.Helper()
	b := moduletest.New(t, moduletest.Head("event_datagram", "event_route")+text, event_datagram.New, event_route.New)
	events := script.NewBackground(b.Config.Program)
	b.Config.Stop(nil)
	if err := b.Config.Start(script.Surroundings{Proxy: b.Proxy, Events: events}, nil); err != nil {
		t.Fatal(err)
	}
	events.Start()
	t.Cleanup(events.Close)
	return b, events
}

func read(t *testing.T, c net.PacketConn) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
	b := make([]byte, 65536)
	n, _, err := c.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// Events of the script reach who has subscribed, from the script or by the management interface.
func TestDatagrams(t *testing.T) {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	path := filepath.Join(t.TempDir(), "s")
	unix, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	b, events := start(t, `
startup_route { subscribe_event("E_OWN", "udp:`+udp.LocalAddr().String()+`"); }
route {
	$avp(name) = "one"; $avp(value) = "1\"";
	$avp(name) = "two"; $avp(value) = 2;
	raise_event("E_OWN", $avp(name), $avp(value));
	raise_event("E_OTHER", $avp(value));
	raise_event("E_NOBODY");
}
`)
	if err := events.Subscribe("E_OTHER", "unix:"+path, time.Minute); err != nil {
		t.Fatal(err)
	}
	b.Receive(moduletest.Invite)
	if got := read(t, udp); got != `{"jsonrpc":"2.0","method":"E_OWN","params":{"one":"1\"","two":2}}` {
		t.Error(got)
	}
	if got := read(t, unix); got != `{"jsonrpc":"2.0","method":"E_OTHER","params":["1\"",2]}` {
		t.Error(got)
	}
	if err := events.Subscribe("E_OTHER", "unix:"+path, -1); err != nil || events.Heard("E_OTHER") {
		t.Error(err)
	}
	for socket, want := range map[string]string{"tcp:1.2.3.4:5": "event_datagram", "udp:host": "udp:IP:port", "unix:x": "unix:/path"} {
		if err := events.Subscribe("E_OTHER", socket, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", socket, err)
		}
	}
}

// An event_route for an event of the script's own.
func TestRoute(t *testing.T) {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	b, _ := start(t, `
startup_route { subscribe_event("E_OUT", "udp:`+udp.LocalAddr().String()+`"); }
route { $avp(n) = "key"; $avp(v) = "value"; raise_event("E_MINE", $avp(n), $avp(v)); }
event_route[E_MINE] { $avp(o) = $param(key) + "<" + $param(1); if ($param(none) == NULL) $avp(o) = "null"; raise_event("E_OUT", $avp(o)); }
`)
	b.Receive(moduletest.Invite)
	if got := read(t, udp); got != `{"jsonrpc":"2.0","method":"E_OUT","params":["value<value","null"]}` {
		t.Error(got)
	}
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, event_datagram.New, event_route.New) }
