package rabbitmq_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/internal/broker/brokertest"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rabbitmq"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, rabbitmq.New) }

func head(servers ...string) string {
	text := moduletest.Head("rabbitmq")
	for _, s := range servers {
		text += fmt.Sprintf("modparam(\"rabbitmq\", \"server_id\", %q)\n", s)
	}
	return text
}

func TestPublish(t *testing.T) {
	r := brokertest.Listen(t)
	h := head("[ID1] uri = amqp://bob:secret@"+r.Addr+"/", "[ID2]uri=amqp://"+r.Addr+"; exchange = x; mandatory; non-persistent;\nheartbeat = 5")
	for _, c := range []struct{ call, login, want string }{
		{`rabbitmq_publish("ID1", "call", "$fU called $rU");`, "bob secret", "publish  call 0  2 {} alice called +4930123"},
		{`rabbitmq_publish("ID1", "call", "{}", "application/json");`, "bob secret", "publish  call 0 application/json 2 {} {}"},
		{`$avp(n) = "caller"; $avp(v) = $fU; rabbitmq_publish("ID2", "call", $rU, , $avp(n), $avp(v));`, "guest guest", "publish x call 1  1 {caller=alice} +4930123"},
	} {
		log := moduletest.Logs(t, h, c.call+` xlog("$rc");`, rabbitmq.New)
		if got := r.Next(t) + "|" + r.Next(t); strings.Join(log, "|") != "1" || got != "login "+c.login+"|"+c.want {
			t.Errorf("%s: %v, %s", c.call, log, got)
		}
	}
	log := moduletest.Logs(t, h, `$avp(n) = "a"; $avp(n) = "b"; $avp(v) = "c"; rabbitmq_publish("ID1", "k", "b", , $avp(n), $avp(v)); xlog("$rc"); $var(i) = "no"; rabbitmq_publish($var(i), "k", "b"); xlog("$rc");`, rabbitmq.New)
	if got := strings.Join(log, "|"); strings.Count(got, "-1") != 2 || len(r.Heard) > 0 {
		t.Error(got)
	}
}

// TestGone: one message finds out that a broker is gone, the next ones are not kept waiting.
func TestGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // it never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	began := time.Now()
	log := moduletest.Logs(t, head("[ID1] uri = amqp://bob:secret@"+l.Addr().String())+"modparam(\"rabbitmq\", \"connect_timeout\", 300)\n",
		`$var(i) = 0; while ($var(i) < 50) { rabbitmq_publish("ID1", "k", "b"); $var(rc) = $rc; $var(i) = $var(i) + 1; } xlog("$var(rc)");`, rabbitmq.New)
	if got := strings.Join(log, "|"); !strings.HasSuffix(got, "-1") || strings.Contains(got, "secret") {
		t.Error(got)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("50 messages to a broker that is gone took %v", took)
	}
}

func TestWrong(t *testing.T) {
	for text, want := range map[string]string{
		"uri=amqp://127.0.0.1":                      "is [name]",
		"[] uri=amqp://127.0.0.1":                   "is [name]",
		"[a]":                                       "has no uri",
		"[a] uri=amqp://x:se%zzcret@127.0.0.1":      "is no amqp://",
		"[a] uri=amqp://127.0.0.1; retries=11":      "0 to 10",
		"[a] uri=amqp://127.0.0.1; persist":         "unknown persist",
		"[a] uri=amqps://127.0.0.1; tls_domain=rmq": "tls_domain",
	} {
		if got := moduletest.Wrong(t, head(text)+"route { exit; }\n", rabbitmq.New); !strings.Contains(got, want) || strings.Contains(got, "cret") {
			t.Errorf("%s: %s", text, got)
		}
	}
	for call, want := range map[string]string{
		`rabbitmq_publish("b", "k", "x");`:                "there is no server_id b",
		`rabbitmq_publish("a", "k", "x", , $avp(names));`: "go together",
	} {
		if got := moduletest.Wrong(t, head("[a] uri=amqp://127.0.0.1")+"route { "+call+" }\n", rabbitmq.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", call, got)
		}
	}
}
