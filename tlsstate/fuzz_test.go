package tlsstate_test

import (
	"bytes"
	"errors"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// record puts a body into a TLS record.
func record(kind byte, body []byte) []byte {
	return append([]byte{kind, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}

// With -fuzzminimizetime 10x: each handshake has random in it and covers something else, so
// that making an input smaller takes a minute and comes to nothing.

// Whatever a peer sends, in whatever pieces: a machine wants more, or fails with
// a typed error, and is gone when it is stopped.
func FuzzServerFeed(f *testing.F) {
	w := tlstest.NewWorld(f)
	set := setOf(f, w, nil)
	client := tlstest.NewClient(f, set, "sip.example.com")
	client.Handshake()
	hello := bytes.Clone(client.Output())
	f.Add(hello, uint8(0))
	f.Add(hello, uint8(1))
	f.Add(append(bytes.Clone(hello), record(20, []byte{1})...), uint8(50))
	f.Add(append(bytes.Clone(hello), record(21, []byte{2, 48})...), uint8(200))
	f.Add(append(bytes.Clone(hello), record(23, make([]byte, 300))...), uint8(0))
	f.Add(record(22, []byte{1, 0, 0, 0}), uint8(3))
	f.Add([]byte("OPTIONS sip:a@b SIP/2.0\r\n\r\n"), uint8(5))
	f.Add([]byte{0x80, 0x2e, 1, 0, 2}, uint8(0))
	client.Stop()
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		before := tlsstate.LiveMachines()
		m, err := set.NewServer(tlstest.Listener, tlstest.Caller)
		if err != nil {
			t.Fatal(err)
		}
		feedAll(t, m, data, int(cut))
		m.Stop()
		if tlsstate.LiveMachines() != before {
			t.Error("a machine is left")
		}
	})
}

// The same for what a server sends to a client.
func FuzzClientFeed(f *testing.F) {
	w := tlstest.NewWorld(f)
	set := setOf(f, w, nil)
	server, client := tlstest.NewServer(f, set), tlstest.NewClient(f, set, "sip.example.com")
	client.Handshake()
	server.Feed(client.Output())
	server.Handshake()
	flight := bytes.Clone(server.Output())
	f.Add(flight, uint8(0))
	f.Add(flight[:130], uint8(9))
	f.Add(record(21, []byte{2, 112}), uint8(0))
	f.Add([]byte("SIP/2.0 400 Bad Request\r\n\r\n"), uint8(1))
	server.Stop()
	client.Stop()
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		m, err := set.NewClient(tlstest.Query("sip.example.com"))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Stop()
		if err := m.Handshake(); !errors.Is(err, tlsstate.ErrWantRead) {
			t.Fatal(err)
		}
		feedAll(t, m, data, int(cut))
	})
}

// Records that an established peer did not seal.
func FuzzEstablishedFeed(f *testing.F) {
	w := tlstest.NewWorld(f)
	set := setOf(f, w, nil)
	f.Add(record(23, make([]byte, 40)), uint8(0))
	f.Add(record(21, []byte{1, 0}), uint8(2))
	f.Add(record(20, []byte{1}), uint8(0))
	f.Add(bytes.Repeat(record(20, []byte{1}), 40), uint8(7))
	f.Add([]byte{23, 3, 3, 0xff, 0xff}, uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		server, client := connected(t, set, "sip.example.com", tlstest.Whole)
		defer client.Stop()
		defer server.Stop()
		feedAll(t, server, data, int(cut))
	})
}

// mostFed bounds what is fed: some records. Each try costs a handshake's signature besides.
const mostFed = 64 << 10

// feedAll feeds data in pieces and checks what the machine says to each.
func feedAll(t *testing.T, m tlsstate.Machine, data []byte, cut int) {
	t.Helper()
	if len(data) > mostFed {
		return
	}
	p := make([]byte, 16384)
	for len(data) > 0 {
		n := len(data)
		if cut > 0 {
			n = min(n, cut)
		}
		m.Feed(data[:n])
		data = data[n:]
		var err error
		if m.Phase() == tlsstate.Handshaking {
			err = m.Handshake()
		} else {
			_, err = m.Read(p)
		}
		var e *tlsstate.Error
		switch {
		case errors.Is(err, tlsstate.ErrWantRead):
		case errors.As(err, &e):
			if e.Reason == "" || e.Blame == tlsstate.BlameUs || m.Phase() != tlsstate.Failed {
				t.Fatalf("%v %v in %v", e.Blame, e, m.Phase())
			}
			return
		default:
			t.Fatalf("%T %v in %v", err, err, m.Phase())
		}
	}
}
