package tlsstate

import (
	"bytes"
	"crypto/tls"
	"reflect"
	"runtime"
	"strings"
	"unsafe"

	"sipreactor/tlsstate/internal/wire"
)

// memory gives crypto/tls the record that it reads next in a pooled buffer, and
// takes the buffer back when the record is read. Left alone, a tls.Conn keeps
// the largest buffers that its handshake and its traffic needed for as long as
// it lives, several kilobytes a connection, and allocates at every record.
//
// That reaches into tls.Conn. With a Go release that it was not verified with, or
// one that renames or retypes one of the three fields, all of this does nothing and
// machines work without it.
type memory struct {
	raw   *bytes.Buffer // records, the next one first; nil: do nothing
	hand  *bytes.Buffer // handshake messages, while incomplete
	input *bytes.Reader // plaintext in raw's buffer that is not read yet
	lent  *[]byte       // the buffer in raw, when it is ours
}

// fields are where the three are in a tls.Conn.
var fields, fieldsKnown = locateIn(runtime.Version())

// verified are the Go releases whose crypto/tls was read and tested for what this
// relies on: that a Conn reads records into rawInput, keeps parts of handshake
// messages in hand, and reads plaintext from input, which lies in rawInput's array.
var verified = []string{"go1.26"}

// locateIn finds the fields in a Go release; false in one that is not known.
func locateIn(version string) (o offsets, known bool) {
	for _, v := range verified {
		if rest, ok := strings.CutPrefix(version, v); ok && (rest == "" || rest[0] == '.' || rest[0] == ' ' || rest[0] == '-') {
			return locate(reflect.TypeFor[tls.Conn]())
		}
	}
	return offsets{}, false
}

type offsets struct{ raw, hand, input uintptr }

// locate finds the fields by name and type; false when one is not as expected.
func locate(conn reflect.Type) (o offsets, known bool) {
	for _, f := range []struct {
		name string
		typ  reflect.Type
		at   *uintptr
	}{
		{"rawInput", reflect.TypeFor[bytes.Buffer](), &o.raw},
		{"hand", reflect.TypeFor[bytes.Buffer](), &o.hand},
		{"input", reflect.TypeFor[bytes.Reader](), &o.input},
	} {
		field, ok := conn.FieldByName(f.name)
		if !ok || field.Type != f.typ {
			return offsets{}, false
		}
		*f.at = field.Offset
	}
	return o, true
}

func memoryOf(conn *tls.Conn) memory {
	if !fieldsKnown {
		return memory{}
	}
	at := unsafe.Pointer(conn)
	return memory{
		raw:   (*bytes.Buffer)(unsafe.Add(at, fields.raw)),
		hand:  (*bytes.Buffer)(unsafe.Add(at, fields.hand)),
		input: (*bytes.Reader)(unsafe.Add(at, fields.input)),
	}
}

// load moves the record at the front of the transport into the connection, so
// that its next read does not have to ask the transport.
func (m *memory) load(t *transport) {
	n := wire.WholeRecord(t.in.Waiting())
	if m.raw == nil || m.raw.Len() > 0 || m.lent != nil || t.left > 0 || n == 0 {
		return
	}
	m.lent = wire.Buffer()
	*m.lent = append(*m.lent, t.in.Waiting()[:n]...)
	t.in.Drop(n)
	*m.raw = *bytes.NewBuffer(*m.lent)
}

// declared is the length that the handshake message in the connection says it
// has, 0 while that is not known, and -1 without such a message.
func (m *memory) declared() int {
	if m.hand == nil || m.hand.Len() == 0 {
		return -1
	}
	return wire.MessageLength(m.hand.Bytes())
}

// settle takes the buffers that are empty from the connection.
func (m *memory) settle() {
	if m.raw == nil {
		return
	}
	if m.raw.Len() == 0 && m.input.Len() == 0 {
		m.free()
	}
	if m.hand.Len() == 0 {
		*m.hand = bytes.Buffer{}
	}
}

// free takes the buffer of the records back, with what is in it.
func (m *memory) free() {
	if m.raw == nil {
		return
	}
	*m.raw = bytes.Buffer{}
	m.input.Reset(nil)
	if m.lent != nil {
		wire.Release(m.lent)
		m.lent = nil
	}
}
