package main

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

const keptPhonesConfig = edgeHead + `loadmodule "db_sqlite.so"
loadmodule "db_mysql.so"
loadmodule "db_postgres.so"
modparam("db_mysql", "timeout_interval", 1)
modparam("db_postgres", "timeout", 3)
modparam("httpd", "token", "none")
modparam("usrloc", "working_mode_preset", "%[3]s")
modparam("usrloc", "db_url", "%[4]s")
modparam("usrloc", "timer_interval", 1)
route {
	if (is_method("REGISTER")) { save("location"); exit; }
	if (!lookup("location")) { send_reply(404, "Not Found"); exit; }
	if ($rU == "listener") { forward(); exit; }
	if ($rU == "leaves") {
		if (remove("location", "sip:leaves@example.org")) send_reply(200, "OK");
		else send_reply(500, "Not removed");
		exit;
	}
	send_reply(486, "Busy");
}
`

// crowd is phones that register one after the other, on several connections.
type crowd struct {
	h    *registry
	all  sync.WaitGroup
	stop chan struct{}

	mu       sync.Mutex
	answered map[string]time.Time // when each user was answered 200
	failed   int                  // that were answered something else, or whose connection ended
	waited   int                  // that were answered once a statement to a frozen database had come to its end, or later
}

// statement is nearly as long as a statement to a frozen database is waited for.
const statement = 2500 * time.Millisecond

func (h *registry) crowd(connections int, pace time.Duration) *crowd {
	c := &crowd{h: h, stop: make(chan struct{}), answered: make(map[string]time.Time)}
	for n := range connections {
		c.all.Go(func() { c.register(n, pace) })
	}
	return c
}

func (c *crowd) register(n int, pace time.Duration) {
	u, err := c.h.user("", "127.0.0.1")
	if err != nil {
		c.h.Error(err)
		return
	}
	defer u.conn.Close()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		u.user = fmt.Sprintf("k%d-%d", n, i)
		begin := time.Now()
		m, err := u.register("")
		c.mu.Lock()
		if time.Since(begin) > statement {
			c.waited++
		}
		if codeOf(m) == 200 {
			c.answered[u.user] = time.Now()
		} else {
			c.failed++
		}
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *crowd) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.answered)
}

func (c *crowd) patient() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waited
}

func (c *crowd) refused() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// within waits until something is so.
func (h *registry) within(what string, is func() bool) {
	h.Helper()
	for end := time.Now().Add(3 * patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			h.Fatalf("never: %s", what)
		}
	}
}

// leave has a user registered and removed again.
func (h *registry) leave() {
	h.Helper()
	u, err := h.user("leaves", "127.0.0.1")
	if err != nil {
		h.Fatal(err)
	}
	defer u.conn.Close()
	if m, err := u.register(""); codeOf(m) != 200 {
		h.Errorf("a phone that registers is answered %d (%v)", codeOf(m), err)
	}
	if got := h.call("leaves"); got != "200" {
		h.Errorf("its removal is answered %s", got)
	}
	if got := h.call("leaves"); got != "404" {
		h.Errorf("once removed it is called with %s", got)
	}
}

// users are those that have a row.
func users(t *testing.T, url string) (list map[string]bool, err error) {
	t.Helper()
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Select(t.Context(), store.Select{Table: "location", Columns: []string{"username"}})
	if err != nil {
		return nil, err
	}
	list = make(map[string]bool)
	for i := range rows.Len() {
		list[rows.Row(i)[0].Text()] = true
	}
	return list, nil
}

// listener is a phone over UDP that registers, and answers what it is sent 200.
func (h *registry) listener() {
	h.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { c.Close() })
	to, err := net.ResolveUDPAddr("udp", h.at)
	if err != nil {
		h.Fatal(err)
	}
	registered := make(chan struct{})
	go func() {
		b := make([]byte, 4096)
		for once := registered; ; {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if strings.HasPrefix(string(b[:n]), "SIP/2.0 200 ") && once != nil {
				close(once)
				once = nil
				continue
			}
			_, rest, _ := strings.Cut(string(b[:n]), "\r\n")
			_, _ = c.WriteTo([]byte("SIP/2.0 200 OK\r\n"+rest), from)
		}
	}()
	for i := range 20 {
		text := fmt.Sprintf("REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKl%[2]d\r\nMax-Forwards: 70\r\n"+
			"From: <sip:listener@example.org>;tag=f\r\nTo: <sip:listener@example.org>\r\nCall-ID: listener\r\nCSeq: %[2]d REGISTER\r\n"+
			"Contact: <sip:listener@%[1]s>\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n", c.LocalAddr(), i+1)
		_, _ = c.WriteTo([]byte(text), to)
		select {
		case <-registered:
			return
		case <-time.After(time.Second):
		}
	}
	h.Fatal("no answer to a REGISTER over UDP")
}

// TestKilledWithPhones: the program is killed while phones register, and its database behind it. What was answered is
// stored as the working mode promises, and the next life of the program has it and reaches it.
func TestKilledWithPhones(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct {
		name  string
		start func(testing.TB) *storetest.Server // nil: it is in the program
	}{
		{"sqlite", nil}, {"MariaDB", storetest.MariaDB}, {"PostgreSQL", storetest.Postgres},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			var server *storetest.Server
			if kind.start != nil {
				server = kind.start(t)
			}
			for i, s := range []struct {
				mode string
				lost time.Duration // what was answered so long before may be lost; 0: nothing
			}{
				{"single-instance-sql-write-through", 0},
				{"sql-only", 0},
				// timer_interval, and the time that a machine with other work takes to write.
				{"single-instance-sql-write-back", 8 * time.Second},
			} {
				t.Run(s.mode, func(t *testing.T) {
					url := ""
					if server == nil {
						url = storetest.SQLite(t)
					} else {
						url = server.URL(fmt.Sprint("kept", i))
					}
					killedWithPhones(t, server, url, s.mode, s.lost)
				})
			}
		})
	}
}

func killedWithPhones(t *testing.T, server *storetest.Server, url, mode string, lost time.Duration) {
	if err := store.Create(t.Context(), url, "location"); err != nil {
		t.Fatal(err)
	}
	h := &registry{T: t, at: "127.0.0.1:" + freePort(t), web: freePort(t)}
	path := config(t, fmt.Sprintf(keptPhonesConfig, h.at, h.web, mode, url))
	child, log := asChild(t, "-f", path)
	log.wait(t, "msg=ready")
	h.listener()
	phones := h.crowd(4, 20*time.Millisecond) // as many as a busy machine writes, too
	begin := time.Now()
	h.within("enough have registered", func() bool { return phones.count() > 500 && time.Since(begin) > 2*lost })
	killed := time.Now()
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if server != nil {
		server.Kill()
		server.Start()
	}
	_ = child.Wait()
	close(phones.stop)
	phones.all.Wait()
	stored, err := users(t, url)
	if err != nil {
		t.Fatal(err)
	}
	missing, late := 0, 0
	for user, at := range phones.answered {
		switch {
		case stored[user]:
		case at.Before(killed.Add(-lost)):
			missing++
		default:
			late++
		}
	}
	t.Logf("%d were answered, %d are stored, %d of the last %v are not", len(phones.answered), len(stored), late, lost)
	if missing > 0 {
		t.Fatalf("%d of those that were answered are lost", missing)
	}
	child, log = asChild(t, "-f", path)
	log.wait(t, "msg=ready")
	if mode != "sql-only" {
		h.until("usrloc:location-contacts", len(stored))
	}
	if got := h.call("listener"); got != "200" {
		t.Errorf("in the next life a phone is called with %s", got)
	}
	for user := range stored {
		if got := h.call(user); user != "listener" && got != "486" {
			t.Errorf("in the next life %s is called with %s", user, got)
		}
	}
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
}

// TestContactsOutlastTheDatabase: the database is killed and frozen while phones register. All are answered, and stored
// when it is back; in sql-only, where it alone has them, those are refused that it has not taken.
func TestContactsOutlastTheDatabase(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct {
		name  string
		start func(testing.TB) *storetest.Server
	}{{"MariaDB", storetest.MariaDB}, {"PostgreSQL", storetest.Postgres}} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			server := kind.start(t)
			for i, mode := range []string{"single-instance-sql-write-through", "single-instance-sql-write-back", "sql-only"} {
				t.Run(mode, func(t *testing.T) { contactsOutlast(t, server, server.URL(fmt.Sprint("kept", i)), mode) })
			}
		})
	}
}

func contactsOutlast(t *testing.T, server *storetest.Server, url, mode string) {
	if err := store.Create(t.Context(), url, "location"); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(fmt.Sprintf(keptPhonesConfig, "", "0", mode, url), `modparam("httpd", "port", 0)`)
	h := startRegistry(t, text)
	for _, way := range []struct{ away, back func() }{{server.Kill, server.Start}, {server.Freeze, server.Thaw}} {
		phones := h.crowd(4, 20*time.Millisecond)
		h.within("some have registered", func() bool { return phones.count() > 40 })
		way.away()
		before := phones.count()
		if mode == "sql-only" {
			h.within("some are refused", func() bool { return phones.refused() > 40 })
		} else {
			h.within("more register without the database", func() bool { return phones.count() > before+200 })
			// Those that are there when it goes find out; a slow machine may keep others for as long, once.
			if n := phones.patient(); n > 8 {
				t.Errorf("%d of %d waited for a database that is known to be gone", n, phones.count()-before)
			}
			h.leave()
		}
		way.back()
		if mode == "sql-only" {
			before = phones.count()
			h.within("more register with the database", func() bool { return phones.count() > before+40 })
		}
		close(phones.stop)
		phones.all.Wait()
		if mode != "sql-only" && phones.failed > 0 {
			t.Errorf("%d were not answered 200", phones.failed)
		}
		h.within("all are stored", func() bool {
			stored, err := users(t, url)
			if err != nil { // it is not found back yet
				return false
			}
			for user := range phones.answered {
				if !stored[user] {
					return false
				}
			}
			return true
		})
	}
}
