package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sipreactor/bench/process"
	"sipreactor/cmd/sipreactor/load"
)

// ledgerConfig sends each request where its Request-URI says. FORWARD is how.
const ledgerConfig = `log_level=2
stderror_enabled=yes
syslog_enabled=no
socket=tls:TLS
socket=tcp:TCP
tcp_max_connections=4096
shutdown_timeout=15
loadmodule "proto_tls.so"
loadmodule "proto_tcp.so"
loadmodule "tls_openssl.so"
loadmodule "tls_mgm.so"
loadmodule "signaling.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "sipmsgops.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("httpd", "port", HTTP)
modparam("httpd", "token", "ledger")
modparam("proto_tls", "tls_handshake_timeout", 3000)
modparam("proto_tls", "tls_send_timeout", 1000)
modparam("proto_tcp", "tcp_send_timeout", 1000)
modparam("tm", "fr_timeout", 4)
modparam("tm", "fr_inv_timeout", 5)
modparam("tls_mgm", "server_domain", "edge")
modparam("tls_mgm", "certificate", "[edge]DIR/edge.pem")
modparam("tls_mgm", "private_key", "[edge]DIR/edge.key")
modparam("tls_mgm", "verify_cert", "[edge]0")
modparam("tls_mgm", "require_cert", "[edge]0")
modparam("tls_mgm", "client_domain", "out")
modparam("tls_mgm", "ca_list", "[out]DIR/ca.pem")
modparam("tls_mgm", "verify_cert", "[out]1")
modparam("tls_mgm", "require_cert", "[out]1")
route {
	if ($si != "127.0.0.1")
		exit;
	FORWARD
}
failure_route[failed] {
	if (t_check_status("408") && !is_method("INVITE"))
		t_reply(504, "No Answer");
}
`

// ledgerForward is how a request goes on, by the test's name.
var ledgerForward = map[string]string{
	"stateless": `if (!forward() && !is_method("ACK")) sl_send_reply(480, "Not To Be Reached");`,
	"stateful": `if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
	t_on_failure("failed");
	if (!t_relay()) sl_reply_error();`,
}

// ledgerProgram is the program under test, which ends and begins anew while the ledger is kept.
type ledgerProgram struct {
	*testing.T
	path, url string

	mu  sync.Mutex
	now *process.Process
}

func (l *ledgerProgram) start() {
	p := process.Start(l.T, "sipreactor", exec.Command(binary, "-f", l.path))
	p.WaitLine(l.T, "msg=ready")
	l.mu.Lock()
	l.now = p
	l.mu.Unlock()
}

// command asks by MI. It is nothing when the program is between two lives.
func (l *ledgerProgram) command(method string, params map[string]any) json.RawMessage {
	text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		l.Error(err)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(text))
	if err != nil {
		l.Error(err)
		return nil
	}
	q.SetBasicAuth("x", "ledger")
	q.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	var answer struct{ Result json.RawMessage }
	_ = json.NewDecoder(res.Body).Decode(&answer)
	return answer.Result
}

// disturb kills connections to destinations, and has all be read anew, until stop is closed.
func (l *ledgerProgram) disturb(stop <-chan struct{}, destinations map[string]bool) (killed int) {
	for n := 1; ; n++ {
		select {
		case <-stop:
			return killed
		case <-time.After(500 * time.Millisecond):
		}
		if n%4 == 0 {
			l.mu.Lock()
			_ = l.now.Cmd.Process.Signal(syscall.SIGHUP)
			l.mu.Unlock()
		}
		var list struct {
			Connections []struct {
				ID     any
				Remote string
			}
		}
		_ = json.Unmarshal(l.command("list_tcp_conns", nil), &list)
		for i, c := range list.Connections {
			if i%5 == n%5 && destinations[c.Remote] {
				l.command("tcp_close_conn", map[string]any{"ipport": fmt.Sprint(c.ID)})
				killed++
			}
		}
	}
}

// Every request has one final answer, whatever becomes of where it goes: by any kind of dead, slow and dying
// destination, while scripts are read anew, connections to destinations are killed, and the program drains and begins
// another life. Without transactions, those are excepted that a destination's TCP has acknowledged and its program
// never answered.
//
// SIPREACTOR_LEDGER is the number of requests, 20,000 without it.
func TestLedger(t *testing.T) {
	total := 20000
	if n, err := strconv.Atoi(os.Getenv("SIPREACTOR_LEDGER")); err == nil && n > 0 {
		total = n
	}
	for name := range ledgerForward {
		t.Run(name, func(t *testing.T) { testLedger(t, name, total) })
	}
}

func testLedger(t *testing.T, name string, total int) {
	dir := t.TempDir()
	ca, err := load.NewAuthority()
	if err == nil {
		err = ca.Write(dir, "edge", "ecdsa", "127.0.0.1")
	}
	if err != nil {
		t.Fatal(err)
	}
	addr := map[string]string{"TLS": "127.0.0.1:" + freePort(t), "TCP": "127.0.0.1:" + freePort(t), "HTTP": freePort(t)}
	text := strings.NewReplacer("DIR", dir, "FORWARD", ledgerForward[name], "socket=tls:TLS", "socket=tls:"+addr["TLS"],
		"socket=tcp:TCP", "socket=tcp:"+addr["TCP"], "HTTP", addr["HTTP"]).Replace(ledgerConfig)
	l := &ledgerProgram{T: t, path: filepath.Join(dir, "ledger.cfg"), url: "http://127.0.0.1:" + addr["HTTP"] + "/mi"}
	if err := os.WriteFile(l.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l.start()

	server, err := ca.ServerConfig("ecdsa", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	book := load.Ledger{
		Peers:   []load.Peer{{Addr: addr["TLS"], TLS: ca.ClientConfig()}, {Addr: addr["TCP"]}},
		Faulted: 0.1, Total: total, Connections: 32, Window: 60, Timeout: 40 * time.Second,
	}
	book.Peers[0].TLS.ServerName = "127.0.0.1"
	swallows := map[load.Fault]bool{}
	destinations := map[string]bool{}
	for _, fault := range load.Faults {
		for i := range 2 {
			cfg := server
			if i == 1 {
				cfg = nil
			}
			d, err := load.NewFaulty(fault, cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(d.Close)
			book.Destinations = append(book.Destinations, d)
			destinations[d.Addr()] = true
		}
		swallows[fault] = name == "stateless" && fault.Swallows()
	}
	stop := make(chan struct{})
	disturbed := make(chan int, 1)
	go func() { disturbed <- l.disturb(stop, destinations) }()
	restarts := make(chan struct{})
	go func() { // another life, in the middle
		defer close(restarts)
		for book.Begun() < int64(total*6/10) {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
		_ = l.now.Cmd.Process.Signal(syscall.SIGTERM)
		if code := l.now.Wait(t, 30*time.Second); code != 0 {
			t.Errorf("it ends with %d", code)
		}
		l.start()
	}()
	account, err := book.Run(t.Context())
	close(stop)
	<-restarts
	killed := <-disturbed
	t.Logf("%d connections killed\n%v", killed, account)
	if err != nil {
		t.Error(err)
	}
	for fault, n := range account.Unanswered {
		if !swallows[fault] {
			t.Errorf("%d requests to a destination that is %s have no answer", n, fault)
		}
	}
	for fault, n := range account.Doubled {
		if name == "stateful" || fault != load.Twice {
			t.Errorf("%d requests to a destination that is %s have two", n, fault)
		}
	}
	if len(account.Strange) > 0 {
		t.Errorf("clients got %v", account.Strange)
	}
	for fault, n := range account.Cut {
		if !swallows[fault] {
			t.Errorf("%d requests to a destination that is %s were under way when their connection was ended", n, fault)
		}
	}
}
