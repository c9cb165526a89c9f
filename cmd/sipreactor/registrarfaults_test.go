package main

import (
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
)

// edgeHead is a registrar over TCP and UDP with management.
const edgeHead = `socket=tcp:%s
socket=udp:%[1]s
loadmodule "proto_tcp.so"
loadmodule "proto_udp.so"
loadmodule "sl.so"
loadmodule "signaling.so"
loadmodule "sipmsgops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("httpd", "ip", "127.0.0.1")
modparam("httpd", "port", %s)
`

// TestGuessingAttack has many guess a user's password at once: they are refused, the user is not.
func TestGuessingAttack(t *testing.T) {
	users := filepath.Join(t.TempDir(), "users")
	ha1 := md5.Sum([]byte("alice:example.org:secret"))
	if err := os.WriteFile(users, fmt.Appendf(nil, "alice:example.org:%x\n", ha1), 0o600); err != nil {
		t.Fatal(err)
	}
	h := startRegistry(t, `loadmodule "auth.so"
loadmodule "auth_db.so"
modparam("auth_db", "users_file", "`+users+`")
modparam("auth", "guess_limit", 10)
modparam("auth", "guess_slow", 0)
modparam("auth", "guess_source_limit", 200)
route {
	if (!www_authorize("example.org", "subscriber")) { www_challenge("example.org", "auth"); exit; }
	save("location");
}
`)
	alice, err := h.user("alice", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer alice.conn.Close()
	const attackers, guesses = 10, 30
	var refused, wrong, in atomic.Int64
	var all sync.WaitGroup
	for a := range attackers {
		all.Go(func() {
			u, err := h.user("alice", fmt.Sprintf("127.0.1.%d", 1+a%2))
			if err != nil {
				t.Error(err)
				return
			}
			defer u.conn.Close()
			for g := range guesses {
				password := fmt.Sprint("guess", g)
				if g == guesses-1 {
					password = "secret" // the lucky one comes too late
				}
				switch code, err := u.login(password); {
				case err != nil:
					t.Errorf("attacker %d: %v", a, err)
					return
				case code == 401:
					wrong.Add(1)
				case code == 403:
					refused.Add(1)
				case code == 200:
					in.Add(1)
				}
			}
		})
	}
	for i := range 20 { // meanwhile
		if code, err := alice.login("secret"); code != 200 || err != nil {
			t.Errorf("login %d of the user: %d %v", i, code, err)
		}
	}
	all.Wait()
	if code, err := alice.login("secret"); code != 200 || err != nil {
		t.Errorf("the user behind it: %d %v", code, err)
	}
	// Each of the two addresses has its ten guesses; those that were under way at the tenth come on top.
	if in.Load() != 0 || wrong.Load() > 2*(10+attackers) || refused.Load() < attackers*guesses-2*(10+attackers) {
		t.Errorf("%d got in, %d guesses were looked at, %d refused", in.Load(), wrong.Load(), refused.Load())
	}
	if got := h.count("auth:guesses_refused"); int64(got) < refused.Load() {
		t.Errorf("%d guesses were counted as refused, of %d", got, refused.Load())
	}
}

// TestUsersRegister has the bench's load register at us: each user is challenged and comes back, and has one contact.
func TestUsersRegister(t *testing.T) {
	const users, turns = 20, 10
	var lines []byte
	for i := range users {
		user := fmt.Sprint("u", i)
		lines = fmt.Appendf(lines, "%s:home.test:%x\n", user, md5.Sum([]byte(user+":home.test:secret")))
	}
	file := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(file, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	h := startRegistry(t, `loadmodule "auth.so"
loadmodule "auth_db.so"
modparam("auth_db", "users_file", "`+file+`")
route {
	if (!www_authorize("home.test", "subscriber")) { www_challenge("home.test", "auth"); exit; }
	save("location");
}
`)
	all := load.Registrations{Peer: load.Peer{Addr: h.at}, Domain: "home.test", Password: "secret", Users: users, Contact: "sip:phone@192.0.2.1",
		Connections: 2, Window: 4, Count: users * turns, Duration: 3 * patience, Timeout: patience}
	r, err := all.Run(t.Context())
	if err != nil || !r.Clean() || r.Done != users*turns {
		t.Errorf("%v\n%v", err, r)
	}
	h.until("usrloc:location-contacts", users)
	all.Password = "wrong"
	if r, err = all.Run(t.Context()); err != nil || r.Done != 0 {
		t.Errorf("with a wrong password: %v\n%v", err, r)
	}
}

// flowsCut is how many connections TestFlowsCut cuts: SIPREACTOR_FLOWS, or a few.
func flowsCut(t *testing.T) int {
	s := os.Getenv("SIPREACTOR_FLOWS")
	if s == "" {
		return 300
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestFlowsCut cuts the connections of all phones at once: nobody is called by a connection that is gone, and with
// remove_on_flow_end no contact is left. The phones come back then.
func TestFlowsCut(t *testing.T) {
	n := flowsCut(t)
	dir := t.TempDir()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	if err := ca.Write(dir, "edge", "ecdsa", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []struct {
		name string
		drop int
		tls  bool
	}{{"TCP", 0, false}, {"TCP, remove_on_flow_end", 1, false}, {"TLS", 0, true}, {"TLS, remove_on_flow_end", 1, true}} {
		t.Run(kind.name, func(t *testing.T) {
			drop := kind.drop
			begin := startRegistry
			if n > 8000 { // a process has 20,000 files at most, here and there
				begin = startRegistryAlone
			}
			secure := "127.0.0.1:" + freePort(t)
			h := begin(t, fmt.Sprintf("tcp_max_connections=%d\nmodparam(\"usrloc\", \"remove_on_flow_end\", %d)\nsocket=tls:%s\n", 2*n+100, drop, secure)+
				strings.ReplaceAll(`
loadmodule "proto_tls.so"
loadmodule "tls_openssl.so"
loadmodule "tls_mgm.so"
modparam("proto_tls", "tls_handshake_timeout", 20000)
modparam("tls_mgm", "server_domain", "edge")
modparam("tls_mgm", "certificate", "[edge]DIR/edge.pem")
modparam("tls_mgm", "private_key", "[edge]DIR/edge.key")
modparam("tls_mgm", "verify_cert", "[edge]0")
modparam("tls_mgm", "require_cert", "[edge]0")
`, "DIR", dir)+`
modparam("registrar", "tcp_persistent_flag", "STAYS")
route {
	if (is_method("REGISTER")) { setflag("STAYS"); save("location"); exit; }
	if (!lookup("location")) { send_reply(404, "Not Found"); exit; }
	send_reply(486, "Busy");
}
`)
			if kind.tls {
				h.tls = secure
			}
			phones := h.fleet(n)
			h.until("usrloc:location-contacts", n)
			if got := h.call("u0"); got != "486" {
				t.Fatalf("before, a call is answered %s", got)
			}
			began := time.Now()
			for _, u := range phones {
				u.cut()
			}
			for _, u := range []string{"u0", fmt.Sprint("u", n/2), fmt.Sprint("u", n-1)} {
				for end := time.Now().Add(3 * patience); h.call(u) != "404"; time.Sleep(10 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("%s is still called", u)
					}
				}
			}
			t.Logf("%d flows were cut, and nobody is called by one %v later", n, time.Since(began))
			want := n
			if drop == 1 {
				want = 0
			}
			h.until("usrloc:location-contacts", want)
			t.Logf("%d contacts are left %v later", want, time.Since(began))
			began = time.Now()
			for _, u := range h.fleet(n) {
				defer u.conn.Close()
			}
			t.Logf("the phones have come back in %v", time.Since(began))
			if got := h.call("u0"); got != "486" {
				t.Errorf("a phone that came back is called with %s", got)
			}
		})
	}
}
