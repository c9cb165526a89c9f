package main

import (
	"bufio"
	"crypto/md5"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/sipframe"
)

// registry is a registrar that runs.
type registry struct {
	*testing.T
	at, web string
	tls     string // where it listens for TLS, for user; "" it does not, or is not asked
}

// newRegistry writes a registrar's configuration with more of it.
func newRegistry(t *testing.T, text string) (h *registry, path string) {
	t.Helper()
	h = &registry{T: t, at: "127.0.0.1:" + freePort(t), web: freePort(t)}
	return h, config(t, fmt.Sprintf(edgeHead, h.at, h.web)+text)
}

// startRegistryAlone runs a registrar in a process of its own, which has files of its own.
func startRegistryAlone(t *testing.T, text string) *registry {
	t.Helper()
	h, path := newRegistry(t, text+"modparam(\"httpd\", \"token\", \"none\")\n")
	_, log := asChild(t, "-f", path)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	log.wait(t, "msg=ready")
	return h
}

// startRegistry runs a registrar.
func startRegistry(t *testing.T, text string) *registry {
	t.Helper()
	h, path := newRegistry(t, text)
	log, code := newOutput(), make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), log) }()
	t.Cleanup(func() {
		<-code
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	log.wait(t, "msg=ready")
	return h
}

// count is a statistic.
func (h *registry) count(name string) int {
	h.Helper()
	_, out, errs := command(h.T, "mi", "--to", "http://127.0.0.1:"+h.web+"/mi", "get_statistics", name)
	i := strings.LastIndexByte(out, ':')
	n, err := strconv.Atoi(strings.Trim(out[i+1:], " \"}\n"))
	if i < 0 || err != nil {
		h.Fatalf("%s: %s%s", name, out, errs)
	}
	return n
}

// until waits until a statistic has a value.
func (h *registry) until(name string, want int) {
	h.Helper()
	got := 0
	for end := time.Now().Add(3 * patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if got = h.count(name); got == want {
			return
		}
	}
	h.Fatalf("%s is %d, never %d", name, got, want)
}

// registree is who registers over a connection, from an address.
type registree struct {
	conn net.Conn
	in   *bufio.Reader
	user string
	seq  int
}

func (h *registry) user(user, from string) (*registree, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	at := h.at
	if h.tls != "" {
		at = h.tls
	}
	c, err := d.Dial("tcp", at)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(6 * patience))
	if h.tls != "" {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tickets})
	}
	// The CSeq grows with the time: one that comes back may have the port, and so the Call-ID, of before.
	return &registree{conn: c, in: bufio.NewReader(c), user: user, seq: int(time.Now().Unix())}, nil
}

// tickets are those of all phones: they spare a fleet most of its handshakes.
var tickets = tls.NewLRUClientSessionCache(64)

// cut ends the connection as a device that lost its power does, and its network told so.
func (u *registree) cut() {
	c := u.conn
	if s, ok := c.(*tls.Conn); ok {
		c = s.NetConn()
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// register sends a REGISTER and returns the response.
func (u *registree) register(headers string) (*sipframe.Message, error) {
	u.seq++
	if _, err := fmt.Fprintf(u.conn, "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK%s%d;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:%[2]s@example.org>;tag=f\r\nTo: <sip:%[2]s@example.org>\r\nCall-ID: %[1]s\r\nCSeq: %[3]d REGISTER\r\n"+
		"Contact: <sip:%[2]s@%[1]s;transport=tcp;ob>;expires=600\r\n%[4]sContent-Length: 0\r\n\r\n", u.conn.LocalAddr(), u.user, u.seq, headers); err != nil {
		return nil, err
	}
	return readMessage(u.in)
}

// login registers with a password, and returns the code.
func (u *registree) login(password string) (int, error) {
	m, err := u.register("")
	if err != nil || m.StatusCode() != 401 {
		return codeOf(m), err
	}
	_, rest, _ := strings.Cut(value(m, "WWW-Authenticate"), `nonce="`)
	nonce, _, _ := strings.Cut(rest, `"`)
	hash := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	response := hash(hash(u.user+":example.org:"+password) + ":" + nonce + ":00000001:c:auth:" + hash("REGISTER:sip:example.org"))
	m, err = u.register(fmt.Sprintf("Authorization: Digest username=%q, realm=\"example.org\", nonce=%q, uri=\"sip:example.org\", qop=auth, nc=00000001, cnonce=\"c\", response=%q\r\n",
		u.user, nonce, response))
	return codeOf(m), err
}

func codeOf(m *sipframe.Message) int {
	if m == nil {
		return 0
	}
	return m.StatusCode()
}

// fleet has so many phones register, each over its connection.
func (h *registry) fleet(n int) []*registree {
	h.Helper()
	list := make([]*registree, n)
	var all sync.WaitGroup
	const side = 16
	for s := range side {
		all.Go(func() {
			for i := s; i < n; i += side {
				u, err := h.user(fmt.Sprint("u", i), "127.0.0.1")
				if err == nil {
					list[i] = u
					var m *sipframe.Message
					deadline := time.Now().Add(2 * time.Minute)
					for m, err = u.register(""); codeOf(m) == 503 && time.Now().Before(deadline); m, err = u.register("") {
						time.Sleep(100 * time.Millisecond) // the machine has no time now: as a phone, come again
					}
					if err == nil && m.StatusCode() != 200 {
						err = fmt.Errorf("code %d", m.StatusCode())
					}
				}
				if err != nil {
					h.Errorf("phone %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
	if h.Failed() {
		h.FailNow()
	}
	return list
}

// call is the code that a MESSAGE to a user is answered with.
func (h *registry) call(user string) string {
	h.Helper()
	c, err := net.Dial("udp", h.at)
	if err != nil {
		h.Fatal(err)
	}
	defer c.Close()
	b := make([]byte, 4096)
	for range 20 {
		fmt.Fprintf(c, "MESSAGE sip:%s@example.org SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:b@example.org>;tag=b\r\n"+
			"To: <sip:%[1]s@example.org>\r\nCall-ID: %[3]d\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n", user, c.LocalAddr(), time.Now().UnixNano())
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		if k, err := c.Read(b); err == nil {
			return string(b[8:min(k, 11)])
		}
	}
	h.Fatal("no answer to a MESSAGE")
	return ""
}
