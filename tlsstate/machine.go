package tlsstate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync/atomic"

	"sipreactor/tlsstate/internal/wire"
)

// Machine is one end of a TLS connection without a socket: ciphertext in,
// plaintext out, and the other way round. It has one owner at a time, who may
// be another goroutine at each call, but none that is locked to its thread.
type Machine interface {
	// Phase tells where the machine is in its life.
	Phase() Phase
	// Feed gives bytes of the peer, any number of them, cut anywhere. They are
	// borrowed, and not written to, until Handshake returns, until Read returns
	// an error (ErrWantRead is one), or until the next Feed or Stop; what was not
	// used by then is copied.
	Feed(b []byte)
	// Handshake goes on as far as the bytes reach. nil: established, and what
	// was fed beyond the handshake waits for Read. ErrWantRead: feed more; there
	// may be something in Output. An *Error: it failed, and Output may hold the
	// alert that tells the peer. A client's first call needs no bytes. See
	// AsyncMachine for one that need not wait for a key that is slow.
	Handshake() error
	// Read decrypts into p, at most one record a call, and exactly one when p
	// holds 16,384 bytes. ErrWantRead: feed more. io.EOF: the peer said
	// close_notify. An *Error: the connection is broken. Read may put something
	// into Output, an answered KeyUpdate or an alert.
	Read(p []byte) (int, error)
	// Unfinished tells, when Read wants more, whether it has a part of a record or
	// of a handshake message: memory that the peer holds until it sends the rest.
	Unfinished() bool
	// Write seals all of p into Output, in as few records as it fits into.
	Write(p []byte) (int, error)
	// Output is what is to be sent to the peer; valid until the next call of any
	// method but Phase and State.
	Output() []byte
	// Sent says that the first n bytes of Output were taken.
	Sent(n int)
	// CloseNotify puts the orderly goodbye into Output; nothing can be written
	// after it. Again, or after a failure, it does nothing. During the handshake
	// there is none in TLS: an *Error.
	CloseNotify() error
	// Stop frees all that the machine holds, in any phase. Every machine must be
	// stopped; once more does nothing.
	Stop()
	// State describes the connection, as far as it is known; never nil. It does
	// not change any more and may be kept, after Stop as well.
	State() *State
	// Secrets gives the connection's secrets so far as NSS key log lines, if
	// Config.Secrets had them kept, and forgets them. Of a connection that was
	// resumed with TLS 1.2 crypto/tls tells none: those of the connection that
	// got the ticket serve for it.
	Secrets() string
}

var live atomic.Int64

// LiveMachines tells how many machines are not stopped, for tests that nothing
// leaks. Any goroutine.
func LiveMachines() int64 { return live.Load() }

// machine is Machine on crypto/tls. The handshake of crypto/tls is straight
// code, so it runs in a coroutine that is parked, stack and all, when the
// transport is out of records. When it is over no coroutine is left.
type machine struct {
	conn   *tls.Conn
	t      transport
	phase  Phase
	client bool
	// more: the plaintext of the last record may not be read to its end.
	more   bool
	domain *domain // nil in a server until the ClientHello chose it
	set    *Set
	memory memory
	failed *Error
	state  *State            // made when it is first asked for, then kept
	own    *x509.Certificate // the certificate that we showed
	asked  bool              // client: the server asked for one
	cache  *sessionSlot      // client: where its session is remembered
	// secrets are key log lines that nobody has taken yet.
	secrets []byte

	signed    func()     // the owner's; nil when it waits for signatures
	signature *signature // the one that the handshake waits for

	next func() (struct{}, bool)
	stop func()
}

// start gives the machine its connection.
func (m *machine) start(conn *tls.Conn) {
	m.conn = conn
	m.memory = memoryOf(conn)
	live.Add(1)
}

// begin starts the coroutine of the handshake, up to its first wait.
func (m *machine) begin() {
	m.next, m.stop = iter.Pull(func(yield func(struct{}) bool) {
		m.t.yield = yield
		deepen()
		err := handshake(m.conn)
		m.t.yield = nil
		m.finished(err)
	})
}

// handshake runs crypto/tls's, whatever a peer, or a key that lives elsewhere,
// may make it do.
func handshake(conn *tls.Conn) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = Panicked(r)
		}
	}()
	return conn.Handshake()
}

// finished notes how the handshake ended. It runs in the coroutine.
func (m *machine) finished(err error) {
	switch {
	case m.phase != Handshaking: // stopped, or failed outside
	case err != nil:
		m.fail(m.classify(err))
	default:
		m.step(Established)
	}
}

// step moves to the next phase; the table is the law.
func (m *machine) step(to Phase) {
	if !m.phase.May(to) {
		panic("tlsstate: a machine cannot go from " + m.phase.String() + " to " + to.String())
	}
	m.phase = to
}

func (m *machine) fail(err *Error) {
	m.failed = err
	if err.Rejected() {
		m.unrecognized()
	}
	m.cache.forget()
	m.step(Failed)
}

func (m *machine) Phase() Phase { return m.phase }

func (m *machine) Feed(b []byte) {
	if m.phase != Stopped {
		m.t.in.Feed(b)
	}
}

func (m *machine) Handshake() error {
	if m.phase == Handshaking {
		m.advance()
		m.t.in.Keep()
	}
	switch m.phase {
	case Handshaking:
		if m.signature != nil {
			return ErrWantSignature
		}
		return ErrWantRead
	case Established, Closing, PeerClosed, Closed:
		return nil
	default:
		return m.misused("Handshake")
	}
}

// advance lets the handshake run until it is over, out of records or waits for
// a signature.
func (m *machine) advance() {
	if m.signature != nil {
		if m.signature.made() {
			m.resume()
		}
		return
	}
	if m.t.taken == 0 {
		if err := m.notTLS(); err != nil {
			m.fail(err)
			m.end()
			return
		}
	}
	if speaksFirst := m.client && m.next == nil; !speaksFirst && !m.t.readable() {
		return
	}
	if m.next == nil {
		m.begin()
	}
	m.resume()
}

// resume lets the coroutine run until it parks or ends.
func (m *machine) resume() {
	m.next()
	if m.phase != Handshaking {
		m.end()
		m.memory.settle()
	}
}

// notTLS tells what is wrong with the first bytes. crypto/tls answers the hello
// of SSLv2 with an alert.
func (m *machine) notTLS() *Error {
	b := m.t.in.Waiting()
	if !m.client && len(b) > 0 && b[0] == wire.HelloOfSSLv2 {
		return nil
	}
	return NotTLS(b, m.client)
}

// misused is the answer to a call that the phase does not allow.
func (m *machine) misused(call string) *Error {
	switch {
	case m.phase == Stopped:
		return &Error{Blame: BlameUs, Reason: ReasonStopped}
	case m.failed != nil:
		return m.failed
	default:
		return &Error{Blame: BlameUs, Reason: ReasonWrongPhase, Detail: call + " while " + m.phase.String()}
	}
}

func (m *machine) Read(p []byte) (int, error) {
	switch m.phase {
	case Established, Closing:
	case PeerClosed, Closed:
		m.t.in.Return()
		return 0, io.EOF
	default:
		return 0, m.misused("Read")
	}
	if !m.more {
		if !m.t.readable() {
			m.t.in.Keep()
			return 0, ErrWantRead
		}
		m.memory.load(&m.t)
	}
	n, err := m.conn.Read(p)
	m.more = n == len(p)
	if !m.more {
		m.memory.settle()
	}
	if large := m.memory.declared(); large > wire.MessageLimit(m.client) && (err == nil || err == errOutOfBytes) { //nolint:errorlint // see below
		m.t.in.Return()
		m.fail(&Error{Blame: BlamePeer, Reason: ReasonTooMuch, Detail: fmt.Sprintf("a message of %d bytes behind the handshake", large)})
		return 0, m.failed
	}
	switch {
	case err == nil:
		return n, nil
	case err == errOutOfBytes: //nolint:errorlint // crypto/tls passes a temporary error on as it is
		m.t.in.Keep()
		return 0, ErrWantRead
	case errors.Is(err, io.EOF):
		m.t.in.Return()
		if m.phase == Closing {
			m.step(Closed)
		} else {
			m.step(PeerClosed)
		}
		return n, io.EOF
	}
	m.t.in.Return()
	m.fail(m.classify(err))
	return n, m.failed
}

func (m *machine) Unfinished() bool {
	return m.phase == Established && (len(m.t.in.Waiting()) > 0 || m.t.left > 0 || m.memory.declared() >= 0)
}

func (m *machine) Write(p []byte) (int, error) {
	if m.phase != Established && m.phase != PeerClosed {
		return 0, m.misused("Write")
	}
	n, err := m.conn.Write(p)
	if err != nil {
		m.fail(m.classify(err))
		return n, m.failed
	}
	return n, nil
}

func (m *machine) Secrets() string {
	lines := string(m.secrets)
	clear(m.secrets)
	m.secrets = nil
	return lines
}

func (m *machine) Output() []byte { return m.t.out.Bytes() }

func (m *machine) Sent(n int) { m.t.out.Drop(n) }

// unrecognized makes the alert that crypto/tls sent for a failed choice of the
// domain, internal_error, the one that says so (RFC 6066 3). It is the last
// thing in Output, and in clear: nothing is negotiated yet.
func (m *machine) unrecognized() {
	const length = wire.RecordHeader + 2
	out := m.t.out.Bytes()
	if len(out) < length {
		return
	}
	if alert := out[len(out)-length:]; alert[0] == wire.RecordAlert && alert[length-1] == wire.AlertInternalError {
		alert[length-1] = wire.AlertUnrecognizedName
	}
}
