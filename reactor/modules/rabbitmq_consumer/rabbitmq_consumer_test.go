package rabbitmq_consumer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/internal/broker/brokertest"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rabbitmq_consumer"
	"sipreactor/reactor/script"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, rabbitmq_consumer.New) }

// TestMessages: a message raises its event, is acknowledged where that is wanted, and a lost connection is made anew.
func TestMessages(t *testing.T) {
	r := brokertest.Listen(t)
	b := moduletest.New(t, moduletest.Head("rabbitmq_consumer")+fmt.Sprintf(`
modparam("rabbitmq_consumer", "connection_id", "uri = amqp://bob:secret@%[1]s; queue = q1; event = E_Q1_MSG; ack; exclusive;")
modparam("rabbitmq_consumer", "retry_timeout", 20)
route { exit; }
event_route[E_Q1_MSG] { xlog("came $param(body)"); }
`, r.Addr), rabbitmq_consumer.New)
	events := script.NewBackground(b.Config.Program)
	b.Config.Stop(nil)
	r.Drop()
	for len(r.Heard) > 0 {
		<-r.Heard
	}
	running := make(chan struct{})
	if err := b.Config.Start(script.Surroundings{Proxy: b.Proxy, Events: events, Running: running}, nil); err != nil {
		t.Fatal(err)
	}
	events.Start()
	t.Cleanup(events.Close)
	close(running)
	for round := 1; round <= 2; round++ {
		if got := r.Next(t) + "|" + r.Next(t); got != "login bob secret|consume q1 4" {
			t.Fatal(got)
		}
		body := fmt.Sprintf(`{"n":%d}`, round)
		r.Deliver(body)
		if got := r.Next(t); got != fmt.Sprintf("ack %d", round) {
			t.Error(got)
		}
		logged := false
		for end := time.Now().Add(20 * time.Second); !logged && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			logged = strings.Contains(strings.Join(b.Lines(), "|"), "came "+body)
		}
		if !logged {
			t.Error(b.Lines())
		}
		r.Drop()
	}
}

func TestWrong(t *testing.T) {
	for text, want := range map[string]string{
		"uri = amqp://127.0.0.1; queue = q":                             "has to have uri, queue and event",
		"uri = http://x:secret@127.0.0.1; queue = q; event = E":         "is no amqp://",
		"uri = amqp://x:se%zzcret@127.0.0.1; queue = q; event = E":      "is no amqp://",
		"uri = amqps://127.0.0.1; queue = q; event = E; tls_domain=rmq": "tls_domain",
		"uri = amqp://127.0.0.1; queue = q; event = E; heartbeat = x":   "0 to 3600",
		"uri = amqp://127.0.0.1; queue = q; event = E; frame_max = 1":   "4096 to",
		"uri = amqp://127.0.0.1; queue = q; event = E; exclusiv":        "did you mean exclusive",
	} {
		got := moduletest.Wrong(t, moduletest.Head("rabbitmq_consumer")+fmt.Sprintf("modparam(\"rabbitmq_consumer\", \"connection_id\", %q)\nroute { exit; }\n", text), rabbitmq_consumer.New)
		if !strings.Contains(got, want) || strings.Contains(got, "cret") {
			t.Errorf("%s: %s", text, got)
		}
	}
}
