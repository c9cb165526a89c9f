package tlsstate

import (
	"bytes"
	"crypto/tls"
	"reflect"
	"runtime"
	"testing"
	"unsafe"
)

// If this fails after a change of the Go release: machines still work, but keep
// the buffers of their handshake, and allocate at each record. See memory.
func TestFieldsAreKnown(t *testing.T) {
	if !fieldsKnown {
		t.Error("tls.Conn has other fields than expected")
	}
}

func TestOtherFields(t *testing.T) {
	buffer, reader := reflect.TypeFor[bytes.Buffer](), reflect.TypeFor[bytes.Reader]()
	conn := func(raw string, input reflect.Type) reflect.Type {
		field := func(name string, typ reflect.Type) reflect.StructField {
			return reflect.StructField{Name: name, PkgPath: "crypto/tls", Type: typ}
		}
		return reflect.StructOf([]reflect.StructField{
			field("vers", reflect.TypeFor[int]()), field(raw, buffer), field("hand", buffer), field("input", input),
		})
	}
	for _, typ := range []reflect.Type{conn("raw", reader), conn("rawInput", reflect.PointerTo(reader)), conn("rawInput", buffer)} {
		if o, known := locate(typ); known || o != (offsets{}) {
			t.Errorf("%v is taken for a tls.Conn", typ)
		}
	}
	o, known := locate(conn("rawInput", reader))
	if size := unsafe.Sizeof(0); !known || o != (offsets{size, size + buffer.Size(), size + 2*buffer.Size()}) {
		t.Error(o, known)
	}
}

// Without the fields nothing is done, and machines work.
func TestWithoutFields(t *testing.T) {
	fieldsKnown = false
	defer func() { fieldsKnown = true }()
	server, client := idlePair(t, idleSet(t))
	defer server.Stop()
	defer client.Stop()
	seal, open := make([]byte, 600), make([]byte, 16384)
	for range 3 {
		if _, err := client.Write(seal); err != nil {
			t.Fatal(err)
		}
		server.Feed(client.Output())
		if n, err := server.Read(open); n != 600 || err != nil {
			t.Fatal(n, err)
		}
		if _, err := server.Read(open); err != ErrWantRead {
			t.Fatal(err)
		}
		client.Sent(len(client.Output()))
	}
}

// An idle machine holds no buffer, ours or crypto/tls's.
func TestIdleHoldsNothing(t *testing.T) {
	server, client := idlePair(t, idleSet(t))
	defer server.Stop()
	defer client.Stop()
	for _, m := range []*machine{server, client} {
		if m.memory.raw.Cap()+m.memory.hand.Cap() != 0 || m.memory.lent != nil || m.t.in.Holds() || m.t.out.Holds() {
			t.Errorf("%d %d %v %v %v", m.memory.raw.Cap(), m.memory.hand.Cap(), m.memory.lent, m.t.in, m.t.out)
		}
		if m.next != nil || m.stop != nil {
			t.Error("a coroutine is left")
		}
	}
}

func TestMemoryOfZeroConn(t *testing.T) {
	m := memoryOf(new(tls.Conn))
	if m.raw.Len() != 0 || m.input.Len() != 0 || m.hand.Len() != 0 {
		t.Error("a new connection has something in its buffers")
	}
	m.settle()
	m.free()
}

// Only what was verified is reached into: another release may keep the names and
// mean something else.
func TestVerifiedReleases(t *testing.T) {
	for version, want := range map[string]bool{
		"go1.26": true, "go1.26.8": true, "go1.26.8 X:loopvar": true, "go1.26-devel": true,
		"go1.25.9": false, "go1.27": false, "go1.260": false, "go1.27.1": false, "devel go1.27-abc": false, "": false,
	} {
		if _, known := locateIn(version); known != want {
			t.Errorf("%q: %v", version, known)
		}
	}
	if !fieldsKnown {
		t.Errorf("%s is not verified: read crypto/tls for what memory relies on, and list it", runtime.Version())
	}
}
