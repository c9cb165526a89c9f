package tlsstate_test

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"time"

	"sipreactor/tlsstate"
)

// driver moves a machine over a real connection, as its owner would.
type driver struct {
	tlsstate.Machine
	conn net.Conn
	buf  []byte
}

func drive(t testing.TB, m tlsstate.Machine, conn net.Conn) *driver {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &driver{Machine: m, conn: conn, buf: make([]byte, 4096)}
}

func (d *driver) flush() error {
	for len(d.Output()) > 0 {
		n, err := d.conn.Write(d.Output())
		d.Sent(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// more flushes and waits for bytes of the peer.
func (d *driver) more() error {
	if err := d.flush(); err != nil {
		return err
	}
	n, err := d.conn.Read(d.buf)
	d.Feed(d.buf[:n])
	if n > 0 {
		return nil
	}
	return err
}

// handshake goes to the end of the handshake and gives the machine's error.
func (d *driver) handshake() error {
	for {
		err := d.Handshake()
		if !errors.Is(err, tlsstate.ErrWantRead) {
			_ = d.flush() // a peer that has gone does not change what the machine says
			return err
		}
		if err := d.more(); err != nil {
			return err
		}
	}
}

// read gives the next plaintext.
func (d *driver) read(p []byte) (int, error) {
	for {
		n, err := d.Machine.Read(p)
		if n > 0 || !errors.Is(err, tlsstate.ErrWantRead) {
			_ = d.flush()
			return n, err
		}
		if err := d.more(); err != nil {
			return 0, err
		}
	}
}

// readUntil reads until a text has come.
func (d *driver) readUntil(mark string) (string, error) {
	var got []byte
	p := make([]byte, 16384)
	for !bytes.Contains(got, []byte(mark)) {
		n, err := d.read(p)
		got = append(got, p[:n]...)
		if err != nil {
			return string(got), err
		}
	}
	return string(got), nil
}

func (d *driver) write(p []byte) error {
	if _, err := d.Machine.Write(p); err != nil {
		return err
	}
	return d.flush()
}

func (d *driver) goodbye() error {
	if err := d.CloseNotify(); err != nil {
		return err
	}
	return d.flush()
}

// socketPair is a TCP connection to ourselves; unlike net.Pipe it has buffers.
func socketPair(t testing.TB) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}
