package tlsstate_test

import (
	"errors"
	"runtime"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

func TestStopAnywhere(t *testing.T) {
	w := tlstest.NewWorld(t)
	set := setOf(t, w, nil)
	goroutines, machines := runtime.NumGoroutine(), tlsstate.LiveMachines()
	for steps := range 12 {
		server, client := tlstest.NewServer(t, set), tlstest.NewClient(t, set, "sip.example.com")
		for range steps {
			client.Step(nil)
			tlstest.Carry(client, server, func(n int) int { return min(n, 300) })
			tlstest.Carry(server, client, tlstest.Whole)
		}
		for _, m := range []*tlstest.End{server, client} {
			m.Stop()
			m.Stop()
			if m.Phase() != tlsstate.Stopped {
				t.Fatal(m.Phase())
			}
			_, rerr := m.Read(make([]byte, 10))
			_, werr := m.Write([]byte("x"))
			for _, err := range []error{m.Handshake(), rerr, werr, m.CloseNotify()} {
				tlstest.WantError(t, err, tlsstate.BlameUs, tlsstate.ReasonStopped)
			}
			m.Feed([]byte("x"))
			if len(m.Output()) > 0 || m.State() == nil {
				t.Fatal("a stopped machine still has something")
			}
		}
	}
	if n := tlsstate.LiveMachines(); n != machines {
		t.Errorf("%d machines are left", n-machines)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
}

func TestWrongPhase(t *testing.T) {
	w := tlstest.NewWorld(t)
	m := tlstest.NewServer(t, setOf(t, w, nil))
	if _, err := m.Read(make([]byte, 1)); err == nil {
		t.Fatal("read during the handshake")
	}
	_, err := m.Write([]byte("x"))
	tlstest.WantError(t, err, tlsstate.BlameUs, tlsstate.ReasonWrongPhase)
	tlstest.WantError(t, m.CloseNotify(), tlsstate.BlameUs, tlsstate.ReasonWrongPhase)
	if s := m.State(); s.Version != 0 || s.VersionName() != "" || s.CipherName() != "" {
		t.Fatalf("%+v", s)
	}
	if err := m.Handshake(); !errors.Is(err, tlsstate.ErrWantRead) {
		t.Fatal(err)
	}
}
