package main

import (
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sipreactor/sipframe"
)

// TestGuessingAtManyUsers: who tries one password at all users is refused at the bound of an address; from many addresses
// each has its own, and users that were guessed at come in from theirs.
func TestGuessingAtManyUsers(t *testing.T) {
	const users, bound, addresses = 60, 20, 8
	var lines []byte
	for i := range users {
		lines = fmt.Appendf(lines, "u%d:example.org:%x\n", i, md5.Sum(fmt.Appendf(nil, "u%d:example.org:secret", i)))
	}
	file := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(file, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	h := startRegistry(t, fmt.Sprintf(`loadmodule "auth.so"
loadmodule "auth_db.so"
modparam("auth_db", "users_file", %q)
modparam("auth", "guess_source_limit", %d)
route {
	if (!www_authorize("example.org", "subscriber")) { www_challenge("example.org", "auth"); exit; }
	save("location");
}
`, file, bound))
	var all sync.WaitGroup
	var wrong, refused, in atomic.Int64
	for a := range addresses {
		all.Go(func() {
			u, err := h.user("", fmt.Sprintf("127.0.3.%d", a+1))
			if err != nil {
				t.Error(err)
				return
			}
			defer u.conn.Close()
			for i := range users {
				u.user = fmt.Sprint("u", i)
				if i%2 == 1 {
					u.user = fmt.Sprint("nobody", i)
				}
				password := "123456"
				if i == users-2 {
					password = "secret" // the last one would be right
				}
				switch code, err := u.login(password); {
				case err != nil:
					t.Error(err)
					return
				case code == 401:
					wrong.Add(1)
				case code == 403:
					refused.Add(1)
				default:
					in.Add(1)
				}
			}
		})
	}
	all.Wait()
	if wrong.Load() != addresses*bound || refused.Load() != addresses*(users-bound) || in.Load() != 0 {
		t.Errorf("%d guesses were looked at, %d refused, %d came in", wrong.Load(), refused.Load(), in.Load())
	}
	for i := 0; i < users; i += 10 {
		u, err := h.user(fmt.Sprint("u", i), "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		if code, err := u.login("secret"); code != 200 || err != nil {
			t.Errorf("%s comes in with %d %v", u.user, code, err)
		}
		u.conn.Close()
	}
}

// say sends a REGISTER with headers alone besides those of RFC 3261 8.1.1; to is the user of To.
func (u *registree) say(to, headers string) (*sipframe.Message, error) {
	u.seq++
	id := ""
	if !strings.HasPrefix(headers, "Call-ID:") {
		id = fmt.Sprintf("Call-ID: %s\r\n", u.conn.LocalAddr())
	}
	if _, err := fmt.Fprintf(u.conn, "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:%s@example.org>;tag=f\r\n"+
		"To: <sip:%[3]s@example.org>\r\n%[5]sCSeq: %[2]d REGISTER\r\n%[4]sContent-Length: 0\r\n\r\n", u.conn.LocalAddr(), u.seq, to, headers, id); err != nil {
		return nil, err
	}
	return readMessage(u.in)
}

// TestRegisterFlood registers more users than the table takes, and more contacts than a user may have: memory has its
// bound, and who is registered is served all the while.
func TestRegisterFlood(t *testing.T) {
	const room, flood, contacts = 500, 3000, 10_000
	h := startRegistry(t, fmt.Sprintf(`modparam("usrloc", "max_contacts_total", %d)
modparam("registrar", "max_contacts", 10)
modparam("registrar", "retry_after", 7)
route {
	if (is_method("REGISTER")) { save("location"); exit; }
	if (!lookup("location")) { send_reply(404, "Not Found"); exit; }
	send_reply(486, "Busy");
}
`, room))
	alice, err := h.user("alice", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer alice.conn.Close()
	if m, err := alice.register(""); err != nil || m.StatusCode() != 200 {
		t.Fatal(codeOf(m), err)
	}
	var taken, refused atomic.Int64
	many := func(n int, send func(u *registree, i int) (*sipframe.Message, error)) {
		t.Helper()
		taken.Store(0)
		refused.Store(0)
		var all sync.WaitGroup
		for side := range 4 {
			all.Go(func() {
				u, err := h.user("", "127.0.0.1")
				if err != nil {
					t.Error(err)
					return
				}
				defer u.conn.Close()
				for i := side; i < n; i += 4 {
					switch m, err := send(u, i); {
					case err != nil:
						t.Error(err)
						return
					case m.StatusCode() == 200:
						taken.Add(1)
					case m.StatusCode() == 503 && value(m, "Retry-After") == "7":
						refused.Add(1)
					default:
						t.Errorf("answered %s", m.Raw())
						return
					}
				}
			})
		}
		all.Wait()
	}
	many(flood, func(u *registree, i int) (*sipframe.Message, error) {
		return u.say(fmt.Sprintf("random%d", i*7919), "Contact: <sip:x@192.0.2.1>\r\n")
	})
	if taken.Load() != room-1 || refused.Load() != flood-room+1 {
		t.Errorf("%d users were taken, %d refused", taken.Load(), refused.Load())
	}
	if got := h.count("usrloc:location-contacts"); got != room {
		t.Errorf("%d contacts, of %d", got, room)
	}
	if m, err := alice.register(""); err != nil || m.StatusCode() != 200 {
		t.Errorf("who is registered comes again: %d %v", codeOf(m), err)
	}
	if m, err := alice.say("random0", "Contact: *\r\nExpires: 0\r\n"); err != nil || m.StatusCode() != 200 { // room for others
		t.Errorf("one of them goes: %d %v", codeOf(m), err)
	}
	for i := range 20 {
		if m, err := alice.say(fmt.Sprintf("random%d", (1+i)*7919), "Contact: *\r\nExpires: 0\r\n"); err != nil || m.StatusCode() != 200 {
			t.Errorf("another goes: %d %v", codeOf(m), err)
		}
	}
	many(contacts, func(u *registree, i int) (*sipframe.Message, error) {
		return u.say("crowd", fmt.Sprintf("Contact: <sip:c%d@192.0.2.1>\r\n", i))
	})
	if taken.Load() != 10 || refused.Load() != contacts-10 {
		t.Errorf("%d contacts of a user were taken, %d refused", taken.Load(), refused.Load())
	}
	if got := h.call("alice"); got != "486" {
		t.Errorf("a user is called with %s", got)
	}
}

// TestHostileRegister sends what no phone does: each is answered, nothing of it is kept, and the connection serves on.
func TestHostileRegister(t *testing.T) {
	h := startRegistry(t, `modparam("registrar", "max_contacts", 100)
route {
	if (is_method("REGISTER")) { save("location", "path-lazy"); exit; }
	if (!lookup("location")) { send_reply(404, "Not Found"); exit; }
	send_reply(486, "Busy");
}
`)
	u, err := h.user("", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer u.conn.Close()
	long := strings.Repeat("x", 9000)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, c := range []struct {
		name, to, headers string
		want              string // codes that it may be answered with
	}{
		{"a long contact", "v", "Contact: <sip:" + long + "@h>\r\n", "400"},
		{"a long parameter", "v", "Contact: <sip:v@h;p=" + long + ">\r\n", "400"},
		{"a long user", strings.Repeat("u", 2000), "Contact: <sip:v@h>\r\n", "400"},
		{"a long path", "v", "Supported: path\r\n" + strings.Repeat("Path: <sip:"+strings.Repeat("p", 200)+"@h;lr>\r\n", 200) + "Contact: <sip:v@h>\r\n", "400"},
		{"a long instance", "v", "Contact: <sip:v@h>;+sip.instance=\"<" + strings.Repeat("i", 300) + ">\"\r\n", "400"},
		{"many headers", "v", strings.Repeat("X: y\r\n", 400) + "Contact: <sip:v@h>\r\n", "400"},
		{"q above 1", "v", "Contact: <sip:v@h>;q=1.1\r\n", "400"},
		{"q below 0", "v", "Contact: <sip:v@h>;q=-0.1\r\n", "400"},
		{"q of words", "v", "Contact: <sip:v@h>;q=high\r\n", "400"},
		{"q of many digits", "v", "Contact: <sip:v@h>;q=0.00000000000000000000000000000001\r\n", "400"},
		{"star with a time", "v", "Contact: *\r\nExpires: 60\r\n", "400"},
		{"star and another", "v", "Contact: *, <sip:v@h>\r\nExpires: 0\r\n", "400"},
		{"two stars", "v", "Contact: *\r\nContact: *\r\nExpires: 0\r\n", "400"},
		{"no URI", "v", "Contact: <>\r\n", "400 500"},
		{"no end", "v", "Contact: <sip:v@h\r\n", "400 500"},
		{"a long Call-ID", "v", "Call-ID: " + long[:1000] + "\r\nContact: <sip:v@h>\r\n", "400"},
		{"no user", "", "Contact: <sip:v@h>\r\n", "400"},
		{"101 contacts", "v", "Contact: " + strings.Repeat("<sip:v@h>, ", 100) + "<sip:v@h>\r\n", "400"},
		{"a time that is none", "v", "Contact: <sip:v@h>\r\nExpires: -1\r\n", "400"},
		{"a time beyond time", "v", "Contact: <sip:v@h>\r\nExpires: 99999999999999999999\r\n", "400"},
		{"reg-id of two contacts", "v", "Supported: outbound, path\r\nContact: <sip:v@h>;+sip.instance=\"<urn:uuid:1>\";reg-id=1, <sip:w@h>;+sip.instance=\"<urn:uuid:1>\";reg-id=2\r\n", "400"},
	} {
		m, err := u.say(c.to, c.headers)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := fmt.Sprint(m.StatusCode()); !strings.Contains(c.want, got) {
			t.Errorf("%s: %s, want %s", c.name, m.Raw()[:min(200, len(m.Raw()))], c.want)
		}
	}
	if got := h.count("usrloc:location-contacts"); got != 0 {
		t.Errorf("%d contacts are kept", got)
	}
	for user, want := range map[string]string{"%61lice": "200", "bob%40example.com": "200"} {
		if m, err := u.say(user, "Contact: <sip:x@h>\r\n"); err != nil || fmt.Sprint(m.StatusCode()) != want {
			t.Errorf("%s: %d %v", user, codeOf(m), err)
		}
	}
	for user, want := range map[string]string{"alice": "486", "%61%6c%69%63%65": "486", "ALICE": "404", "bob": "404", "bob%40example.com": "486"} {
		if got := h.call(user); got != want {
			t.Errorf("%s is called with %s, want %s", user, got, want)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
		t.Errorf("%d bytes are kept of it", grown)
	}
}
