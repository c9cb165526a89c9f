package load

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// resend is the first interval at which an unacknowledged 200 is sent again (T1 of RFC 3261).
const resend = 500 * time.Millisecond

// Server is a user agent server: it answers INVITE with 180 and 200, and any other request with 200. What it
// takes for a fault of whoever sent the request is counted with its reason.
type Server struct {
	// Trace, if set before the first connection, is told of each message: its method or status, and whether the
	// server sent it.
	Trace func(sent bool, message string)

	ln        net.Listener
	transport string
	contact   string

	mu      sync.Mutex
	conns   map[*Conn]struct{}
	dialogs map[string]*dialog
	stats   ServerStats
	closed  bool
	stop    chan struct{}
	done    sync.WaitGroup
}

// ServerStats is what a server saw.
type ServerStats struct {
	Connections int64            `json:"connections"` // accepted
	Requests    map[string]int64 `json:"requests"`    // by method
	Repeated    int64            `json:"repeated"`    // requests that had come before
	Resent      int64            `json:"resent"`      // 200s sent again because no ACK came
	Wrong       map[string]int64 `json:"wrong"`       // faults, by reason
}

type dialog struct {
	conn   *Conn
	tag    string
	answer []byte // the 200
	sent   time.Time
	every  time.Duration
	acked  bool
	ended  time.Time
}

// Listen starts a server on an address (port 0: any), with TLS unless cfg is nil.
func Listen(addr string, cfg *tls.Config) (*Server, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &Server{
		ln: ln, transport: "TCP", conns: map[*Conn]struct{}{}, dialogs: map[string]*dialog{},
		stats: ServerStats{Requests: map[string]int64{}, Wrong: map[string]int64{}}, stop: make(chan struct{}),
	}
	if cfg != nil {
		s.ln, s.transport = tls.NewListener(ln, cfg), "TLS"
	}
	s.contact = "sip:uas@" + ln.Addr().String() + ";transport=" + strings.ToLower(s.transport)
	s.done.Add(2)
	go s.accept()
	go s.clock()
	return s, nil
}

// URI is the server's own, as it is in its Contact.
func (s *Server) URI() string { return s.contact }

// Addr is the address it listens on.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// Stats copies the counters.
func (s *Server) Stats() ServerStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.stats
	c.Requests, c.Wrong = map[string]int64{}, map[string]int64{}
	for k, v := range s.stats.Requests {
		c.Requests[k] = v
	}
	for k, v := range s.stats.Wrong {
		c.Wrong[k] = v
	}
	return c
}

// Close ends every connection and the listener.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	s.mu.Unlock()
	close(s.stop)
	s.ln.Close()
	s.mu.Lock()
	conns := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.Close()
	}
	s.done.Wait()
}

func (s *Server) accept() {
	defer s.done.Done()
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		conn := NewConn(c)
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			conn.Close()
			return
		}
		s.stats.Connections++
		s.conns[conn] = struct{}{}
		s.done.Add(1)
		s.mu.Unlock()
		go func() {
			defer s.done.Done()
			if err := conn.Serve(func(m *Message) { s.request(conn, m) }); err != nil {
				s.mu.Lock()
				s.wrong("connection: " + err.Error())
				s.mu.Unlock()
			}
			conn.Close()
			s.mu.Lock()
			delete(s.conns, conn)
			s.mu.Unlock()
		}()
	}
}

// wrong is called with the lock held.
func (s *Server) wrong(reason string) {
	if _, known := s.stats.Wrong[reason]; !known && len(s.stats.Wrong) >= 16 {
		reason = "other"
	}
	s.stats.Wrong[reason]++
}

func (s *Server) request(c *Conn, m *Message) {
	if !m.Request {
		s.mu.Lock()
		s.wrong("response to the server")
		s.mu.Unlock()
		return
	}
	method := string(m.Method)
	if s.Trace != nil {
		s.Trace(false, method)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Requests[method]++
	if n, err := strconv.Atoi(string(m.MaxForwards)); err != nil || n < 0 || len(m.Vias) > 1 && n >= 70 {
		s.wrong(fmt.Sprintf("%s with Max-Forwards %q behind a proxy", method, m.MaxForwards))
	}
	d := s.dialogs[string(m.CallID)]
	switch method {
	case "INVITE":
		if d != nil {
			s.stats.Repeated++
			return
		}
		s.invite(c, m)
	case "ACK":
		switch {
		case d == nil:
			s.wrong("ACK outside of a dialog")
		case d.acked:
			s.stats.Repeated++
		default:
			d.acked = true
			s.judge(d, m)
		}
	case "BYE":
		switch {
		case d == nil:
			s.wrong("BYE outside of a dialog")
		case !d.ended.IsZero():
			s.stats.Repeated++
		default:
			d.ended = time.Now()
			s.judge(d, m)
		}
		s.respond(c, m, 200, "OK", "", "")
	default:
		s.respond(c, m, 200, "OK", "s"+strconv.FormatInt(s.stats.Requests[method], 10), "")
	}
}

func (s *Server) invite(c *Conn, m *Message) {
	d := &dialog{
		conn: c, tag: "d" + strconv.FormatInt(s.stats.Requests["INVITE"], 10), sent: time.Now(), every: resend,
	}
	s.dialogs[string(m.CallID)] = d
	s.respond(c, m, 180, "Ringing", d.tag, "")
	d.answer = s.response(nil, m, 200, "OK", d.tag, sdp)
	s.send(c, 200, d.answer)
}

// judge looks at a request within a dialog: what a proxy must leave as it was.
func (s *Server) judge(d *dialog, m *Message) {
	switch {
	case string(m.URI) != s.contact:
		s.wrong(fmt.Sprintf("%s for %s, which is not our Contact", m.Method, m.URI))
	case string(param(m.To, "tag")) != d.tag:
		s.wrong(string(m.Method) + " with another To tag")
	case len(m.Routes) > 0:
		s.wrong(fmt.Sprintf("%s with a Route that nobody took out: %s", m.Method, m.Routes[0]))
	}
}

func (s *Server) respond(c *Conn, m *Message, status int, reason, tag, content string) {
	s.send(c, status, s.response(nil, m, status, reason, tag, content))
}

func (s *Server) send(c *Conn, status int, raw []byte) {
	if s.Trace != nil {
		s.Trace(true, strconv.Itoa(status))
	}
	c.Queue(func(out []byte) []byte { return append(out, raw...) })
}

func (s *Server) response(out []byte, m *Message, status int, reason, tag, content string) []byte {
	line := func(name string, value []byte) {
		out = append(append(append(append(out, name...), ": "...), value...), "\r\n"...)
	}
	out = append(append(append(out, "SIP/2.0 "...), strconv.Itoa(status)...), ' ')
	out = append(append(out, reason...), "\r\n"...)
	for _, v := range m.Vias {
		line("Via", v)
	}
	for _, v := range m.RecordRoutes {
		line("Record-Route", v)
	}
	line("From", m.From)
	if tag != "" && param(m.To, "tag") == nil {
		line("To", append(append(append([]byte(nil), m.To...), ";tag="...), tag...))
	} else {
		line("To", m.To)
	}
	line("Call-ID", m.CallID)
	line("CSeq", m.CSeq)
	line("Contact", []byte("<"+s.contact+">"))
	return body(out, "application/sdp", []byte(content))
}

// clock sends unacknowledged 200s again and forgets dialogs that ended some time ago.
func (s *Server) clock() {
	defer s.done.Done()
	tick := time.NewTicker(resend / 2)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-tick.C:
			s.mu.Lock()
			for id, d := range s.dialogs {
				switch {
				case !d.ended.IsZero():
					if now.Sub(d.ended) > 5*time.Second {
						delete(s.dialogs, id)
					}
				case !d.acked && now.Sub(d.sent) >= d.every:
					if now.Sub(d.sent) > 32*time.Second {
						delete(s.dialogs, id)
						continue
					}
					s.stats.Resent++
					d.every *= 2
					s.send(d.conn, 200, d.answer)
					d.conn.Flush()
				}
			}
			s.mu.Unlock()
		}
	}
}
