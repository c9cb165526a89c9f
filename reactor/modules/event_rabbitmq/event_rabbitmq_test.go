package event_rabbitmq_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/event_rabbitmq"
	"sipreactor/reactor/modules/internal/broker/brokertest"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/script"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, event_rabbitmq.New) }

// TestEvents: an event is a message to the routing key, over one connection, and over another when that was lost.
func TestEvents(t *testing.T) {
	r := brokertest.Listen(t)
	b := moduletest.New(t, moduletest.Head("event_rabbitmq")+fmt.Sprintf(`
startup_route {
	subscribe_event("E_OWN", "rabbitmq:bob:secret@%[1]s/exchange=x;persistent?calls");
}
route { $avp(name) = "caller"; $avp(value) = $fU; raise_event("E_OWN", $avp(name), $avp(value)); }
`, r.Addr), event_rabbitmq.New)
	events := script.NewBackground(b.Config.Program)
	b.Config.Stop(nil)
	if err := b.Config.Start(script.Surroundings{Proxy: b.Proxy, Events: events}, nil); err != nil {
		t.Fatal(err)
	}
	events.Start()
	t.Cleanup(events.Close)
	n := 0
	again := func() {
		n++
		b.Receive(bytes.Replace(moduletest.Invite, []byte("z9hG4bK"), fmt.Appendf(nil, "z9hG4bK%d", n), 1))
	}
	const message = `publish x calls 0  2 {} {"jsonrpc":"2.0","method":"E_OWN","params":{"caller":"alice"}}`
	again()
	if got := r.Next(t) + "|" + r.Next(t); got != "login bob secret|"+message {
		t.Error(got)
	}
	again()
	if got := r.Next(t); got != message {
		t.Error(got)
	}
	r.Drop()
	got := ""
	for end := time.Now().Add(20 * time.Second); got == "" && time.Now().Before(end); {
		again() // what was written as the connection ended is lost
		select {
		case got = <-r.Heard:
		case <-time.After(50 * time.Millisecond):
		}
	}
	if got != "login bob secret" || r.Next(t) != message {
		t.Error(got)
	}
	for socket, want := range map[string]string{
		"rabbitmq:127.0.0.1":                    "a socket is rabbitmq:",
		"rabbitmq:/key":                         "a socket is rabbitmq:",
		"rabbitmq:a:b@/key":                     "a socket is rabbitmq:",
		"rabbitmq:a:se%zzcret@127.0.0.1/key":    "a socket is rabbitmq:",
		"rabbitmq:127.0.0.1/":                   "a socket is rabbitmq:",
		"rabbitmq:127.0.0.1/tls_domain=rmq?key": "tls_domain",
		"rabbitmq:127.0.0.1/x=y?key":            "parameter x",
	} {
		if err := events.Subscribe("E_OWN", socket, 0); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: %v", socket, err)
		}
	}
}
