package conformance

import (
	"errors"
	"io"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// inPhase makes a server machine in each phase.
var inPhase = map[tlsstate.Phase]func(t *testing.T, l tlstest.Link) *tlstest.End{
	tlsstate.Handshaking: func(t *testing.T, l tlstest.Link) *tlstest.End { return tlstest.NewServer(t, l.Server) },
	tlsstate.Established: func(t *testing.T, l tlstest.Link) *tlstest.End {
		server, _ := l.Connect(t, "sip.example.com", tlstest.Whole)
		return server
	},
	tlsstate.Closing: func(t *testing.T, l tlstest.Link) *tlstest.End {
		server, _ := l.Connect(t, "sip.example.com", tlstest.Whole)
		_ = server.CloseNotify()
		return server
	},
	tlsstate.PeerClosed: func(t *testing.T, l tlstest.Link) *tlstest.End {
		server, client := l.Connect(t, "sip.example.com", tlstest.Whole)
		_ = client.CloseNotify()
		tlstest.Wire(client, server, tlstest.Whole)
		return server
	},
	tlsstate.Closed: func(t *testing.T, l tlstest.Link) *tlstest.End {
		server, client := l.Connect(t, "sip.example.com", tlstest.Whole)
		tlstest.Goodbye(t, client, server)
		return server
	},
	tlsstate.Failed: func(t *testing.T, l tlstest.Link) *tlstest.End {
		server := tlstest.NewServer(t, l.Server)
		server.Step([]byte("GET / HTTP/1.0\r\n\r\n"))
		return server
	},
	tlsstate.Stopped: func(t *testing.T, l tlstest.Link) *tlstest.End {
		server, _ := l.Connect(t, "sip.example.com", tlstest.Whole)
		server.Stop()
		return server
	},
}

// Every call in every phase: what it answers, and where the machine is then.
func everyCallInEveryPhase(t *testing.T, libs Libraries) {
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
	w := tlstest.NewWorld(t)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		l := tlstest.Pairing{Server: lib, Client: lib}.Link(t, w, nil)
		for phase, enter := range inPhase {
			t.Run(phase.String(), func(t *testing.T) {
				m := enter(t, l)
				if m.Phase() != phase {
					t.Fatal(m.Phase())
				}
				var got answers
				got.handshake = answer(m.Handshake())
				_, err := m.Read(m.Buffer())
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
				m.Stop()
				if m.Phase() != tlsstate.Stopped || m.Output() != nil {
					t.Error("not stopped")
				}
			})
		}
	})
}
