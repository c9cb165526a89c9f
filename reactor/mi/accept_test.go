package mi

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// unwell is a listener whose accept fails with each of its errors first.
type unwell struct {
	net.Listener
	errs []error
}

func (u *unwell) Accept() (net.Conn, error) {
	if len(u.errs) > 0 {
		err := u.errs[0]
		u.errs = u.errs[1:]
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: err}
	}
	return u.Listener.Accept()
}

// Whatever accept says, management over HTTP goes on, and says so once.
func TestAcceptFails(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	var refusals sync.WaitGroup
	l := &boundedListener{
		Listener: &unwell{inner, []error{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.EPERM, unix.EPROTO, unix.ECONNABORTED,
			unix.EHOSTUNREACH, unix.ENETDOWN, unix.EINVAL}},
		log: slog.New(slog.NewTextHandler(&said, nil)), places: newPlaces(1, nil), refusals: make(chan struct{}, 1), done: &refusals,
		closed: make(chan struct{}),
	}
	served := make(chan error, 1)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "well") })}
	go func() { served <- s.Serve(l) }()
	resp, err := http.Get("http://" + inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(text) != "well" {
		t.Errorf("%q, %v", text, err)
	}
	http.DefaultClient.CloseIdleConnections()
	_ = s.Close()
	<-served
	refusals.Wait()
	if n := strings.Count(said.String(), "cannot be accepted"); n != 1 {
		t.Errorf("%d lines: %s", n, &said)
	}
}

// Management has fewer connections where the process may have few descriptors.
func TestConnectionShare(t *testing.T) {
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &old) }()
	for files, want := range map[uint64]int{old.Max: int(min(max(old.Max/16, 2), 64)), 256: 16, 16: 2} {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: old.Max}); err != nil {
			t.Fatal(err)
		}
		if got := connectionShare(); got != want {
			t.Errorf("%d of %d descriptors, want %d", got, files, want)
		}
	}
}
