package tlsstate_test

import (
	"errors"
	"io"
	"testing"

	"sipreactor/tlsstate"
)

// inPhase makes a server machine in each phase.
var inPhase = map[tlsstate.Phase]func(t *testing.T, set *tlsstate.Set) *end{
	tlsstate.Handshaking: func(t *testing.T, set *tlsstate.Set) *end {
		return &end{Machine: newServer(t, set)}
	},
	tlsstate.Established: func(t *testing.T, set *tlsstate.Set) *end {
		server, _ := connected(t, set, "sip.example.com", whole)
		return server
	},
	tlsstate.Closing: func(t *testing.T, set *tlsstate.Set) *end {
		server, _ := connected(t, set, "sip.example.com", whole)
		server.CloseNotify()
		return server
	},
	tlsstate.PeerClosed: func(t *testing.T, set *tlsstate.Set) *end {
		server, client := connected(t, set, "sip.example.com", whole)
		client.CloseNotify()
		wire(client, server, whole)
		return server
	},
	tlsstate.Closed: func(t *testing.T, set *tlsstate.Set) *end {
		server, client := connected(t, set, "sip.example.com", whole)
		goodbye(t, client, server)
		return server
	},
	tlsstate.Failed: func(t *testing.T, set *tlsstate.Set) *end {
		server := &end{Machine: newServer(t, set)}
		server.step([]byte("GET / HTTP/1.0\r\n\r\n"))
		return server
	},
	tlsstate.Stopped: func(t *testing.T, set *tlsstate.Set) *end {
		server, _ := connected(t, set, "sip.example.com", whole)
		server.Stop()
		return server
	},
}

// Every call in every phase: what it answers, and where the machine is then.
func TestEveryCallInEveryPhase(t *testing.T) {
	const (
		fine  = "fine"
		more  = "want read"
		eof   = "end"
		wrong = tlsstate.ReasonWrongPhase
		plain = tlsstate.ReasonPlainText
		gone  = tlsstate.ReasonStopped
	)
	type answers struct {
		handshake, read, write, closeNotify string
		then                                tlsstate.Phase // after CloseNotify
	}
	want := map[tlsstate.Phase]answers{
		tlsstate.Handshaking: {more, wrong, wrong, wrong, tlsstate.Handshaking},
		tlsstate.Established: {fine, more, fine, fine, tlsstate.Closing},
		tlsstate.Closing:     {fine, more, wrong, fine, tlsstate.Closing},
		tlsstate.PeerClosed:  {fine, eof, fine, fine, tlsstate.Closed},
		tlsstate.Closed:      {fine, eof, wrong, fine, tlsstate.Closed},
		tlsstate.Failed:      {plain, plain, plain, fine, tlsstate.Failed},
		tlsstate.Stopped:     {gone, gone, gone, gone, tlsstate.Stopped},
	}
	answer := func(err error) string {
		var e *tlsstate.Error
		switch {
		case err == nil:
			return fine
		case err == tlsstate.ErrWantRead:
			return more
		case err == io.EOF:
			return eof
		case errors.As(err, &e):
			return e.Reason
		default:
			return err.Error()
		}
	}
	w := newWorld(t)
	set := w.set(t, nil)
	for phase, make := range inPhase {
		t.Run(phase.String(), func(t *testing.T) {
			m := make(t, set)
			if m.Phase() != phase {
				t.Fatal(m.Phase())
			}
			var got answers
			got.handshake = answer(m.Handshake())
			_, err := m.Read(m.buffer())
			got.read = answer(err)
			_, err = m.Write([]byte("x"))
			got.write = answer(err)
			if m.Phase() != phase {
				t.Errorf("it is now %v", m.Phase())
			}
			got.closeNotify = answer(m.CloseNotify())
			got.then = m.Phase()
			if got != want[phase] {
				t.Errorf("%+v, want %+v", got, want[phase])
			}
			if m.State() == nil {
				t.Error("no state")
			}
			m.Sent(len(m.Output()))
			if len(m.Output()) > 0 {
				t.Error("output that was sent is still there")
			}
			m.Feed([]byte{1})
			m.Stop()
			if m.Phase() != tlsstate.Stopped || m.Output() != nil {
				t.Error("not stopped")
			}
		})
	}
}

// What a machine that is not stopped knows of its connection, it knows after.
func TestStateOutlivesStop(t *testing.T) {
	w := newWorld(t)
	server, client := connected(t, w.set(t, nil), "sip.example.com", whole)
	kept := client.State()
	server.Stop()
	client.Stop()
	for _, m := range []*end{server, client} {
		if s := m.State(); s.VersionName() != "TLSv1.3" || !s.Verified || s.Verdict() != tlsstate.VerdictOK || len(s.Peer) == 0 {
			t.Errorf("%+v", s)
		}
	}
	if client.State() != kept {
		t.Error("another state")
	}
}
