package load

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReaderCutsAnywhere(t *testing.T) {
	stream := "\r\n\r\n" + invite + "\r\n" + invite + invite
	for size := 1; size < len(stream); size++ {
		r := NewReader(&chunks{data: stream, size: size})
		var m Message
		for i := range 3 {
			if err := r.Next(&m); err != nil {
				t.Fatalf("chunks of %d, message %d: %v", size, i, err)
			}
			if string(m.Body) != "body" || len(m.Vias) != 3 {
				t.Fatalf("chunks of %d: %q", size, m.Body)
			}
		}
		if err := r.Next(&m); !errors.Is(err, io.EOF) {
			t.Fatalf("end: %v", err)
		}
		if r.Newlines() != 6 {
			t.Fatalf("%d bytes between messages, want 6", r.Newlines())
		}
	}
}

func TestReaderGrows(t *testing.T) {
	body := strings.Repeat("x", 20000)
	raw := "MESSAGE sip:a SIP/2.0\r\nl: 20000\r\n\r\n" + body
	r := NewReader(iotest.HalfReader(strings.NewReader(raw + raw)))
	var m Message
	for range 2 {
		if err := r.Next(&m); err != nil || string(m.Body) != body {
			t.Fatalf("%v, %d bytes", err, len(m.Body))
		}
	}
}

func TestReaderEndsWithinMessage(t *testing.T) {
	r := NewReader(strings.NewReader(invite[:len(invite)-1]))
	var m Message
	if err := r.Next(&m); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
}

func TestReaderRefusesUnbounded(t *testing.T) {
	r := NewReader(strings.NewReader("OPTIONS sip:a SIP/2.0\r\nX: " + strings.Repeat("x", 3*MaxMessage)))
	var m Message
	if err := r.Next(&m); err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
}

func TestReaderCallsBeforeRead(t *testing.T) {
	calls := 0
	r := NewReader(strings.NewReader(invite + invite))
	r.BeforeRead = func() { calls++ }
	var m Message
	for range 2 {
		if err := r.Next(&m); err != nil {
			t.Fatal(err)
		}
	}
	if calls != 1 {
		t.Errorf("%d calls for messages that came in one read", calls)
	}
}

// chunks hands data out in pieces of the same size.
type chunks struct {
	data string
	size int
}

func (c *chunks) Read(p []byte) (int, error) {
	if c.data == "" {
		return 0, io.EOF
	}
	n := copy(p, c.data[:min(c.size, len(c.data))])
	c.data = c.data[n:]
	return n, nil
}
