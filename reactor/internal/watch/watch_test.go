package watch

import (
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/tcptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// A Set tells once of each thing it is asked for, and nothing when it forgot.
func TestWatch(t *testing.T) {
	told := make(chan int, 10)
	w, err := New(func(fd int) { told <- fd }, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	fd, peer := tcptest.Pair(t)
	defer unix.Close(fd)
	once := func(what string) {
		t.Helper()
		select {
		case got := <-told:
			if got != fd {
				t.Errorf("%s: told of %d", what, got)
			}
		case <-time.After(patience):
			t.Fatalf("%s: nothing is told", what)
		}
		select {
		case <-told:
			t.Errorf("%s: told twice", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
	if err := w.Writable(fd, false); err != nil {
		t.Fatal(err)
	}
	once("writable")
	if err := w.Readable(fd, true); err != nil {
		t.Fatal(err)
	}
	_, _ = peer.Write([]byte("x"))
	once("readable")
	if err := w.End(fd, true); err != nil {
		t.Fatal(err)
	}
	_ = peer.SetLinger(0)
	peer.Close()
	once("end")
	if err := w.Writable(fd, true); err != nil {
		t.Fatal(err)
	}
	once("writable, as it has ended")
	w.Forget(fd)
	if err := w.Writable(fd, true); err == nil {
		t.Error("it is still known")
	}
}

// Whoever closes a Set has its last word: nothing is told behind that.
func TestCloseWaits(t *testing.T) {
	telling, goOn := make(chan struct{}), make(chan struct{})
	var told atomic.Bool
	w, err := New(func(int) {
		close(telling)
		<-goOn
		told.Store(true)
	}, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	fd, _ := tcptest.Pair(t)
	defer unix.Close(fd)
	if err := w.Writable(fd, false); err != nil {
		t.Fatal(err)
	}
	<-telling
	closed := make(chan struct{})
	go func() {
		w.Close()
		if !told.Load() {
			t.Error("it is closed while it tells")
		}
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(20 * time.Millisecond): // it waits, as it should
	}
	close(goOn)
	<-closed
}
