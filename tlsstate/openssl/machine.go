//go:build openssl

package openssl

/*
#cgo noescape sc_handshake
#cgo nocallback sc_handshake
#cgo noescape sc_read
#cgo nocallback sc_read
#cgo noescape sc_write
#cgo nocallback sc_write
#cgo noescape sc_shutdown
#cgo nocallback sc_shutdown
#include "shim.h"
*/
import "C"

import (
	"crypto/x509"
	"fmt"
	"io"
	"net/netip"
	"unsafe"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/internal/wire"
)

// libssl is given whole records only, so that it holds neither ciphertext nor a
// buffer for it between two calls, and is not woken for a byte.

const (
	// flight is the room that a handshake step's answer has; what is longer takes
	// another copy.
	flight = 4096
	// recordOverhead is more than a record is longer than its plaintext.
	recordOverhead = 128
)

// machine is tlsstate.Machine on an SSL.
type machine struct {
	c      *C.sc_conn // nil in a server until a record is whole, and when stopped
	set    *Set
	domain *domain // nil in a server until the ClientHello chose it
	client bool
	phase  tlsstate.Phase
	in     wire.Inbox
	out    wire.Store
	// probed is how much of the inbox the probe has seen; it stays there for the
	// connection proper. taken counts what the handshake has read.
	probed, taken int
	// more: the plaintext of the last record may not be read to its end.
	more          bool
	failed        *tlsstate.Error
	state         *tlsstate.State
	peer          []*x509.Certificate // once it was looked at
	local, remote netip.AddrPort
	name          string // SNI
	host          string // client: whom the certificate must name
	slot          string // client: the key of its session
	logged, kept  bool   // where secrets go: to the log, to whom asks for them
	secrets       []byte // key log lines that nobody has taken yet
}

// step moves to the next phase; tlsstate's table is the law.
func (m *machine) step(to tlsstate.Phase) {
	if !m.phase.May(to) {
		panic("openssl: a machine cannot go from " + m.phase.String() + " to " + to.String())
	}
	m.phase = to
}

func (m *machine) fail(err *tlsstate.Error) {
	m.failed = err
	m.in.Free()
	m.forget()
	m.step(tlsstate.Failed)
}

// forget drops the session after a failure, so that the next handshake is a
// full one.
func (m *machine) forget() {
	if m.client && m.slot != "" {
		m.domain.sessions.Forget(m.slot)
	}
}

// Phase tells where the machine is in its life.
func (m *machine) Phase() tlsstate.Phase { return m.phase }

// Feed gives bytes of the peer.
func (m *machine) Feed(b []byte) {
	switch m.phase {
	case tlsstate.Handshaking, tlsstate.Established, tlsstate.Closing:
		m.in.Feed(b)
	case tlsstate.PeerClosed, tlsstate.Closed, tlsstate.Failed, tlsstate.Stopped:
	}
}

// Handshake goes on as far as the bytes reach.
func (m *machine) Handshake() error {
	if m.phase == tlsstate.Handshaking {
		m.advance()
		m.in.Keep()
	}
	switch m.phase {
	case tlsstate.Handshaking:
		return tlsstate.ErrWantRead
	case tlsstate.Established, tlsstate.Closing, tlsstate.PeerClosed, tlsstate.Closed:
		return nil
	case tlsstate.Failed, tlsstate.Stopped:
	}
	return m.misused("Handshake")
}

// advance makes the steps that the whole records allow.
func (m *machine) advance() {
	if m.taken == 0 && m.probed == 0 {
		if err := tlsstate.NotTLS(m.in.Waiting(), m.client); err != nil {
			if !m.client && m.in.Waiting()[0] == wire.HelloOfSSLv2 {
				m.out.Add(wire.AlertRecord(wire.AlertProtocolVersion))
			}
			m.fail(err)
			return
		}
	}
	speaks := m.client && m.c == nil
	for m.phase == tlsstate.Handshaking {
		in := m.in.Waiting()[m.probed:]
		in = in[:wire.WholeRecords(in)]
		if len(in) == 0 && !speaks {
			return
		}
		speaks = false
		if m.c == nil && !m.open() {
			return
		}
		switch m.call(in) {
		case C.SC_DONE:
			m.step(tlsstate.Established)
		case C.SC_HELLO:
			m.choose()
		case C.SC_JUDGE:
			m.judge()
			speaks = true
		case C.SC_WANT:
			if m.taken+m.probed > wire.HandshakeLimit {
				m.fail(&tlsstate.Error{Blame: tlsstate.BlamePeer, Reason: tlsstate.ReasonTooMuch,
					Detail: fmt.Sprintf("more than %d bytes and no end", wire.HandshakeLimit)})
			}
		case C.SC_CLOSED:
			m.fail(m.alertReceived(wire.AlertCloseNotify))
		default:
			m.fail(m.classify())
		}
	}
}

// call lets libssl go on with the handshake.
func (m *machine) call(in []byte) C.int {
	room := m.out.Spare(flight)
	result := C.sc_handshake(m.c, data(in), C.size_t(len(in)), data(room), C.size_t(len(room)))
	m.collect()
	if m.domain == nil {
		m.probed += int(m.c.in_used)
	} else {
		m.taken += int(m.c.in_used)
		m.in.Drop(int(m.c.in_used))
	}
	return result
}

// collect takes what a step left: output, secrets, a session.
func (m *machine) collect() {
	m.out.Advance(int(m.c.out_len))
	if m.c.spill_len > 0 {
		m.out.Add(unsafe.Slice((*byte)(m.c.spill), int(m.c.spill_len)))
		C.sc_drop_spill(m.c)
	}
	if m.c.secrets_len > 0 {
		m.logSecrets()
	}
	if m.c.fresh != nil {
		m.domain.sessions.Put(m.slot, m.c.fresh, int(m.c.fresh_size))
		m.c.fresh = nil
	}
}

// open makes the connection in C: a client's, or a server's probe.
func (m *machine) open() bool {
	if !m.client {
		m.c = C.sc_probe()
	} else if m.c = C.sc_conn_new(); m.c != nil {
		return m.use()
	}
	if m.c == nil {
		m.fail(internal("no memory for a connection"))
	}
	return m.c != nil
}

// choose finds the server's domain for the name that the probe has read, and
// begins anew with it.
func (m *machine) choose() {
	if m.c.sni != nil {
		m.name = C.GoString(m.c.sni)
	}
	m.probed = 0
	name, ok := m.set.plain.ServerDomain(m.local, m.name)
	if !ok {
		m.out.Add(wire.AlertRecord(wire.AlertUnrecognizedName))
		m.fail(&tlsstate.Error{Blame: tlsstate.BlamePeer, Reason: tlsstate.ReasonRejected,
			Detail: fmt.Sprintf("no server domain for %v and the name %q", m.local, m.name)})
		return
	}
	m.domain = m.set.servers[name]
	m.domain.refresh(m.set.time())
	m.use()
}

// misused is the answer to a call that the phase does not allow.
func (m *machine) misused(call string) *tlsstate.Error {
	switch {
	case m.phase == tlsstate.Stopped:
		return &tlsstate.Error{Blame: tlsstate.BlameUs, Reason: tlsstate.ReasonStopped}
	case m.failed != nil:
		return m.failed
	default:
		return &tlsstate.Error{Blame: tlsstate.BlameUs, Reason: tlsstate.ReasonWrongPhase, Detail: call + " while " + m.phase.String()}
	}
}

// Read decrypts at most one record into p.
func (m *machine) Read(p []byte) (int, error) {
	switch m.phase {
	case tlsstate.Established, tlsstate.Closing:
	case tlsstate.PeerClosed, tlsstate.Closed:
		return 0, io.EOF
	default:
		return 0, m.misused("Read")
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		var in []byte
		if !m.more {
			n := wire.WholeRecord(m.in.Waiting())
			if n == 0 {
				m.in.Keep()
				return 0, tlsstate.ErrWantRead
			}
			in = m.in.Waiting()[:n]
		}
		result := C.sc_read(m.c, data(in), C.size_t(len(in)), data(p), C.size_t(len(p)))
		m.in.Drop(int(m.c.in_used))
		m.more = m.c.pending != 0
		m.collect()
		switch result {
		case C.SC_DONE:
			return int(m.c.done), nil
		case C.SC_WANT: // a ticket, a key update, an empty record
		case C.SC_CLOSED:
			m.in.Free()
			if m.phase == tlsstate.Closing {
				m.step(tlsstate.Closed)
			} else {
				m.step(tlsstate.PeerClosed)
			}
			return 0, io.EOF
		default:
			m.fail(m.classify())
			return 0, m.failed
		}
	}
}

// Unfinished tells whether a part of a record or of a handshake message is here.
// libssl bounds those that come behind the handshake itself.
func (m *machine) Unfinished() bool {
	return m.phase == tlsstate.Established && (len(m.in.Waiting()) > 0 || m.c.unfinished != 0)
}

// Write seals all of p into Output.
func (m *machine) Write(p []byte) (int, error) {
	if m.phase != tlsstate.Established && m.phase != tlsstate.PeerClosed {
		return 0, m.misused("Write")
	}
	if len(p) == 0 {
		return 0, nil
	}
	room := m.out.Spare(len(p) + (len(p)/wire.RecordPlain+1)*recordOverhead)
	result := C.sc_write(m.c, data(p), C.size_t(len(p)), data(room), C.size_t(len(room)))
	m.collect()
	if result != C.SC_DONE {
		m.fail(m.classify())
		return 0, m.failed
	}
	return len(p), nil
}

// Output is what is to be sent to the peer.
func (m *machine) Output() []byte { return m.out.Bytes() }

// Sent says that the first n bytes of Output were taken.
func (m *machine) Sent(n int) { m.out.Drop(n) }

// CloseNotify puts the orderly goodbye into Output.
func (m *machine) CloseNotify() error {
	switch m.phase {
	case tlsstate.Established, tlsstate.PeerClosed:
	case tlsstate.Closing, tlsstate.Closed, tlsstate.Failed:
		return nil
	default:
		return m.misused("CloseNotify")
	}
	room := m.out.Spare(recordOverhead)
	result := C.sc_shutdown(m.c, data(room), C.size_t(len(room)))
	m.collect()
	if result != C.SC_DONE {
		m.fail(m.classify())
		return m.failed
	}
	if m.phase == tlsstate.Established {
		m.step(tlsstate.Closing)
	} else {
		m.step(tlsstate.Closed)
	}
	return nil
}

// Stop frees all that the machine holds, in any phase.
func (m *machine) Stop() {
	if m.phase == tlsstate.Stopped {
		return
	}
	m.State()
	m.step(tlsstate.Stopped)
	C.sc_conn_free(m.c)
	m.c, m.secrets = nil, nil
	m.in.Free()
	m.out.Free()
	live.Add(-1)
}
