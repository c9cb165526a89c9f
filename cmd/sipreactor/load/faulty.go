package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Fault is a way in which a destination misbehaves.
type Fault string

// The faults that there are. Those that need TLS do over TCP what comes nearest.
const (
	Sound       Fault = "sound"       // answers at once
	Late        Fault = "late"        // answers after up to a second, in another order
	Twice       Fault = "twice"       // answers twice
	Slow        Fault = "slow"        // reads and answers a message a millisecond, with a small window
	Dead        Fault = "dead"        // nobody listens
	Hole        Fault = "hole"        // drops what it gets, a SYN too
	Mumbling    Fault = "mumbling"    // accepts and never says a word of TLS
	Closing     Fault = "closing"     // accepts and closes
	Resetting   Fault = "resetting"   // accepts and resets
	Babbling    Fault = "babbling"    // answers a ClientHello with what is no TLS
	Alerting    Fault = "alerting"    // answers a ClientHello with an alert
	Stranger    Fault = "stranger"    // shows a certificate that nobody trusts
	Stopped     Fault = "stopped"     // answers some, and then reads no more
	Dying       Fault = "dying"       // answers some, and then resets
	Leaving     Fault = "leaving"     // answers each and says close_notify and FIN behind some
	HalfClosed  Fault = "half closed" // answers some, ends its half and reads on
	Vanishing   Fault = "vanishing"   // answers some, and then its host is gone
	Interrupted Fault = "interrupted" // answers, but for gaps in which all packets are lost
	Mute        Fault = "mute"        // reads all and answers nothing
	Mangling    Fault = "mangling"    // answers with what is no SIP
	Provisional Fault = "provisional" // answers 100 or 180, and nothing more
	Renegade    Fault = "handshaking" // ends its TLS in the middle of a handshake
	Overloaded  Fault = "overloaded"  // answers 503
)

// Faults are all of them, Sound first.
var Faults = []Fault{
	Sound, Late, Twice, Slow, Dead, Hole, Mumbling, Closing, Resetting, Babbling, Alerting, Stranger, Stopped, Dying, Leaving, HalfClosed,
	Vanishing, Interrupted, Mute, Mangling, Provisional, Renegade, Overloaded,
}

// Swallows reports whether a destination may take a request, as far as TCP tells, and never answer it: only a
// transaction's timer tells then.
func (f Fault) Swallows() bool {
	switch f {
	case Mumbling, Closing, Resetting, Babbling, Alerting, Stranger, Renegade: // over TCP the request is written before they act
		return true
	case Stopped, Dying, Leaving, HalfClosed, Vanishing, Interrupted, Mute, Mangling, Provisional:
		return true
	default:
		return false
	}
}

// some is how many messages a peer answers before it does what it is for.
const some = 20

// Faulty is a destination that misbehaves.
type Faulty struct {
	fault Fault
	cfg   *tls.Config // nil: TCP
	addr  string
	ln    net.Listener

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	over  chan struct{}
	done  sync.WaitGroup
}

// NewFaulty starts one on a port of 127.0.0.1, with TLS unless cfg is nil. Close ends it.
func NewFaulty(fault Fault, cfg *tls.Config) (*Faulty, error) {
	f := &Faulty{fault: fault, cfg: cfg, conns: map[net.Conn]struct{}{}, over: make(chan struct{})}
	if fault == Stranger && cfg != nil {
		ca, err := NewAuthority()
		if err != nil {
			return nil, err
		}
		if f.cfg, err = ca.ServerConfig("ecdsa", "127.0.0.1"); err != nil {
			return nil, err
		}
	}
	var lc net.ListenConfig
	lc.SetMultipathTCP(false) // which knows no filters
	ln, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f.addr, f.ln = ln.Addr().String(), ln
	switch fault {
	case Dead:
		ln.Close()
		return f, nil
	case Hole:
		if err := deafen(ln.(*net.TCPListener), true); err != nil {
			ln.Close()
			return nil, err
		}
		return f, nil
	case Slow, Stopped:
		if err := narrow(ln.(*net.TCPListener)); err != nil {
			ln.Close()
			return nil, err
		}
	}
	f.done.Go(f.accept)
	return f, nil
}

// Addr is its host:port.
func (f *Faulty) Addr() string { return f.addr }

// URI is one of a user there.
func (f *Faulty) URI() string {
	if f.cfg != nil {
		return "sip:x@" + f.addr + ";transport=tls"
	}
	return "sip:x@" + f.addr + ";transport=tcp"
}

// Close ends it.
func (f *Faulty) Close() {
	close(f.over)
	f.ln.Close()
	f.mu.Lock()
	for c := range f.conns {
		c.Close()
	}
	f.mu.Unlock()
	f.done.Wait()
}

func (f *Faulty) accept() {
	for {
		c, err := f.ln.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.conns[c] = struct{}{}
		f.mu.Unlock()
		f.done.Go(func() {
			f.serve(c)
			c.Close()
			f.mu.Lock()
			delete(f.conns, c)
			f.mu.Unlock()
		})
	}
}

// abort makes the close of a connection a reset.
func abort(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }

// wait waits until the peer is closed, or for a time.
func (f *Faulty) wait(d time.Duration) (over bool) {
	select {
	case <-f.over:
		return true
	case <-time.After(d):
		return false
	}
}

func (f *Faulty) serve(raw net.Conn) {
	switch f.fault {
	case Mumbling:
		<-f.over
		return
	case Closing:
		return
	case Resetting:
		abort(raw)
		return
	case Babbling, Alerting, Renegade:
		_, _ = raw.Read(make([]byte, 4096))
		text := map[Fault]string{
			Babbling: "HTTP/1.1 400 Bad Request\r\n\r\n", Alerting: "\x15\x03\x03\x00\x02\x02\x28", // handshake_failure
			Renegade: "\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03", // a ServerHello that does not go on
		}[f.fault]
		_, _ = io.WriteString(raw, text)
		return
	}
	c := raw
	if f.cfg != nil {
		_ = raw.SetDeadline(time.Now().Add(30 * time.Second))
		tc := tls.Server(raw, f.cfg)
		if tc.Handshake() != nil {
			return
		}
		_ = raw.SetDeadline(time.Time{})
		c = tc
	}
	f.answer(raw.(*net.TCPConn), c)
}

// answer reads requests and does what the fault says.
func (f *Faulty) answer(raw *net.TCPConn, c net.Conn) {
	in := NewReader(c)
	var m Message
	var write sync.Mutex
	say := func(b []byte) {
		write.Lock()
		_, _ = c.Write(b)
		write.Unlock()
	}
	for n := 1; ; n++ {
		if in.Next(&m) != nil {
			return
		}
		if !m.Request || string(m.Method) == "ACK" {
			continue
		}
		status := 200
		if string(m.Method) == "INVITE" {
			status = 486
		}
		if f.fault == Overloaded {
			status = 503
		}
		answer := response(&m, status)
		switch f.fault {
		case Late:
			// Those that come together are answered in another order.
			d := time.Duration(len(m.CallID)*7919*n%1000) * time.Millisecond
			f.done.Go(func() {
				if !f.wait(d) {
					say(answer)
				}
			})
			continue
		case Twice:
			say(append(answer, answer...))
			continue
		case Slow:
			time.Sleep(time.Millisecond)
		case Mute:
			continue
		case Mangling:
			say([]byte("SIP/2.0 banana\r\n\r\nSIP/2.0 200 OK\r\nContent-Length: -1\r\n\r\n"))
			continue
		case Provisional:
			say(response(&m, 100+80*(n%2)))
			continue
		}
		say(answer)
		if n%some != 0 {
			continue
		}
		switch f.fault {
		case Stopped:
			<-f.over
			return
		case Dying:
			abort(raw)
			return
		case Leaving:
			if tc, ok := c.(*tls.Conn); ok {
				_ = tc.CloseWrite()
			}
			return
		case HalfClosed:
			if tc, ok := c.(*tls.Conn); ok {
				_ = tc.CloseWrite()
			} else {
				_ = raw.CloseWrite()
			}
			_, _ = io.Copy(io.Discard, raw)
			return
		case Vanishing:
			_ = deafen(raw, true)
			<-f.over
			return
		case Interrupted:
			_ = deafen(raw, true)
			if f.wait(time.Duration(n*37%400) * time.Millisecond) {
				return
			}
			_ = deafen(raw, false)
		}
	}
}

// response is the answer of a user agent.
func response(m *Message, status int) []byte {
	out := fmt.Appendf(nil, "SIP/2.0 %d Said\r\n", status)
	for _, v := range m.Vias {
		out = fmt.Appendf(out, "Via: %s\r\n", v)
	}
	for _, v := range m.RecordRoutes {
		out = fmt.Appendf(out, "Record-Route: %s\r\n", v)
	}
	tag := ""
	if param(m.To, "tag") == nil {
		tag = ";tag=f"
	}
	out = fmt.Appendf(out, "From: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %s\r\n", m.From, m.To, tag, m.CallID, m.CSeq)
	return body(out, "", nil)
}

// deafen has a socket drop all that comes for it before TCP sees it, as if its host was gone, or ends that.
func deafen(c syscallConn, on bool) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		if !on {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
			return
		}
		nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
		failed = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing})
	})
	return errors.Join(err, os.NewSyscallError("setsockopt", failed))
}

// narrow gives a listener's connections a receive buffer that is soon full.
func narrow(c syscallConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return smallWindow("", "", raw)
}
