package tlsstate

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync/atomic"
)

// Machine is one end of a TLS connection without a socket: ciphertext in,
// plaintext out, and the other way round. It has one owner at a time, who may
// be another goroutine at each call, but none that is locked to its thread.
type Machine interface {
	// Phase tells where the machine is in its life.
	Phase() Phase
	// Feed gives bytes of the peer. They are borrowed until the next Handshake
	// or Read returns ErrWantRead, or until the next Feed.
	Feed(b []byte)
	// Handshake goes on as far as the bytes reach. nil: established.
	// ErrWantRead: feed more. An *Error: it failed, and Output may hold the
	// alert that tells the peer.
	Handshake() error
	// Read decrypts into p, at most one record at a call and exactly one when p
	// holds 16,384 bytes. ErrWantRead: feed more. io.EOF: the peer said
	// close_notify. An *Error: the connection is broken. Read may put something
	// into Output, too.
	Read(p []byte) (int, error)
	// Write seals all of p into Output, in as few records as it fits into.
	Write(p []byte) (int, error)
	// Output is what is to be sent to the peer; valid until the next call.
	Output() []byte
	// Sent says that the first n bytes of Output were taken.
	Sent(n int)
	// CloseNotify puts the orderly goodbye into Output.
	CloseNotify() error
	// Stop frees all that the machine holds. Every machine must be stopped;
	// once more does nothing.
	Stop()
	// State describes the connection, as far as it is known.
	State() *State
}

var live atomic.Int64

// LiveMachines tells how many machines are not stopped, for tests that nothing
// leaks. Any goroutine.
func LiveMachines() int64 { return live.Load() }

// machine is Machine on crypto/tls. The handshake of crypto/tls is straight
// code, so it runs in a coroutine that is parked, stack and all, when the
// transport is out of bytes. When it is over no coroutine is left.
type machine struct {
	conn   *tls.Conn
	t      transport
	phase  Phase
	client bool
	domain *domain
	failed *Error

	next func() (struct{}, bool)
	stop func()
}

// start begins a machine. make gets the transport.
func start(m *machine, conn *tls.Conn) {
	m.conn = conn
	live.Add(1)
	var err error
	m.next, m.stop = iter.Pull(func(yield func(struct{}) bool) {
		m.t.yield = yield
		err = handshake(conn)
		m.t.yield = nil
		m.finished(err)
	})
}

// handshake runs crypto/tls's, whatever a peer may make it do.
func handshake(conn *tls.Conn) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &Error{Blame: BlameUs, Reason: ReasonInternal, Detail: fmt.Sprint(r)}
		}
	}()
	return conn.Handshake()
}

// finished notes how the handshake ended.
func (m *machine) finished(err error) {
	if m.phase == Stopped {
		return
	}
	if err == nil {
		m.step(Established)
		return
	}
	m.failed = classify(err)
	if m.failed.Rejected() {
		m.unrecognized()
	}
	m.step(Failed)
}

// step moves to the next phase; the table is the law.
func (m *machine) step(to Phase) {
	if !m.phase.May(to) {
		panic("tlsstate: a machine cannot go from " + m.phase.String() + " to " + to.String())
	}
	m.phase = to
}

func (m *machine) Phase() Phase { return m.phase }

func (m *machine) Feed(b []byte) { m.t.feed(b) }

func (m *machine) Handshake() error {
	if m.phase == Handshaking {
		if m.t.waiting() > inboxLimit {
			m.failed = &Error{Blame: BlamePeer, Reason: ReasonTooMuch}
			m.step(Failed)
			m.end()
			return m.failed
		}
		m.next()
		m.t.keep()
	}
	switch m.phase {
	case Handshaking:
		return ErrWantRead
	case Established, Closing, PeerClosed:
		m.next, m.stop = nil, nil
		return nil
	case Failed:
		m.end()
		return m.failed
	default:
		return m.misused("Handshake")
	}
}

// end frees the coroutine.
func (m *machine) end() {
	if m.stop != nil {
		m.stop()
		m.next, m.stop = nil, nil
	}
}

// misused is the answer to a call that the phase does not allow.
func (m *machine) misused(call string) *Error {
	if m.failed != nil {
		return m.failed
	}
	return &Error{Blame: BlameUs, Reason: ReasonWrongPhase, Detail: call + " while " + m.phase.String()}
}

func (m *machine) Read(p []byte) (int, error) {
	switch m.phase {
	case Established, Closing:
	case PeerClosed:
		return 0, io.EOF
	case Handshaking, Failed, Stopped:
		return 0, m.misused("Read")
	}
	n, err := m.conn.Read(p)
	switch {
	case err == nil:
		return n, nil
	case isOutOfBytes(err):
		m.t.keep()
		if n > 0 {
			return n, nil
		}
		return 0, ErrWantRead
	case errors.Is(err, io.EOF):
		m.step(PeerClosed)
		return n, io.EOF
	}
	m.failed = classify(err)
	m.step(Failed)
	return n, m.failed
}

func isOutOfBytes(err error) bool {
	if _, ok := err.(outOfBytes); ok {
		return true
	}
	var o outOfBytes
	return errors.As(err, &o)
}

func (m *machine) Write(p []byte) (int, error) {
	if m.phase != Established && m.phase != PeerClosed {
		return 0, m.misused("Write")
	}
	n, err := m.conn.Write(p)
	if err != nil {
		return n, classify(err)
	}
	return n, nil
}

func (m *machine) Output() []byte { return m.t.out.bytes() }

func (m *machine) Sent(n int) { m.t.out.drop(n) }

func (m *machine) CloseNotify() error {
	switch m.phase {
	case Established, PeerClosed:
		m.step(Closing)
		return m.conn.CloseWrite()
	case Closing:
		return nil
	default:
		return m.misused("CloseNotify")
	}
}

func (m *machine) Stop() {
	if m.phase == Stopped {
		return
	}
	m.step(Stopped)
	m.end()
	m.t.borrowed = nil
	m.t.inbox.free()
	m.t.out.free()
	live.Add(-1)
}

// unrecognized makes the alert that crypto/tls sent for an error of the domain
// choice the one that says so (RFC 6066 3). The alert is the last thing in
// Output, and in clear: nothing is negotiated yet.
func (m *machine) unrecognized() {
	const internalError, unrecognizedName = 80, 112
	if out := m.t.out.bytes(); len(out) >= 7 && out[len(out)-7] == 21 && out[len(out)-1] == internalError {
		out[len(out)-1] = unrecognizedName
	}
}
