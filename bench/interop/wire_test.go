package interop

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// wire is what a connection passes between a client and a server. It keeps the beginning of each direction, where the
// handshake is, and can be cut.
type wire struct {
	ln     net.Listener
	to     string
	mu     sync.Mutex
	passed []*passage
	work   sync.WaitGroup
}

// passage is one connection.
type passage struct {
	client, server net.Conn
	left           chan struct{} // closed when the client has closed
	mu             sync.Mutex
	asked, told    []byte // what the client and the server said first
}

// kept is how much of each direction a passage keeps: a handshake with a chain and the post-quantum key share.
const kept = 16 << 10

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{ln: ln, to: to}
	w.work.Go(w.accept)
	t.Cleanup(func() {
		ln.Close()
		w.mu.Lock()
		for _, p := range w.passed {
			p.close()
		}
		w.mu.Unlock()
		w.work.Wait()
	})
	return w
}

func (w *wire) addr() string { return w.ln.Addr().String() }

func (w *wire) port() string {
	_, port, _ := net.SplitHostPort(w.addr())
	return port
}

func (w *wire) accept() {
	for {
		client, err := w.ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", w.to)
		if err != nil {
			client.Close()
			continue
		}
		p := &passage{client: client, server: server, left: make(chan struct{})}
		w.mu.Lock()
		w.passed = append(w.passed, p)
		w.mu.Unlock()
		w.work.Go(func() {
			defer close(p.left)
			p.carry(server, client, &p.asked)
		})
		w.work.Go(func() { p.carry(client, server, &p.told) })
	}
}

// carry copies one direction until it ends, and then ends both.
func (p *passage) carry(to, from net.Conn, keep *[]byte) {
	buf := make([]byte, 4<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		if len(*keep) < kept {
			*keep = append(*keep, buf[:n]...)
		}
		p.mu.Unlock()
		if _, failed := to.Write(buf[:n]); failed != nil || err != nil {
			p.close()
			return
		}
	}
}

func (p *passage) close() {
	for _, c := range []io.Closer{p.client, p.server} {
		c.Close()
	}
}

// cut ends the connections that pass, as their server would: the client gets the end of the stream. It returns when
// the client has closed too, and so knows that it has no connection.
func (w *wire) cut(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.passed {
		_ = p.client.(*net.TCPConn).CloseWrite() // fails on one that has ended
		select {
		case <-p.left:
		case <-time.After(patience):
			t.Fatal("the client does not close")
		}
	}
}

// handshakes reads the connections that passed so far.
func (w *wire) handshakes(t *testing.T) (list []handshake) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, p := range w.passed {
		p.mu.Lock()
		h, err := readHandshake(p.asked, p.told)
		p.mu.Unlock()
		if err != nil {
			t.Fatalf("connection %d is no TLS handshake: %v", i+1, err)
		}
		list = append(list, h)
	}
	return list
}
