package hep

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// same compares packets, times by the instant.
func same(a, b Packet) bool {
	if !a.Time.Equal(b.Time) {
		return false
	}
	a.Time = b.Time
	return reflect.DeepEqual(a, b)
}

func TestDecodeRoundTrip(t *testing.T) {
	for _, change := range []func(*Packet){
		func(*Packet) {},
		func(p *Packet) { p.Correlation, p.AuthKey = nil, nil },
		func(p *Packet) { p.Source, p.Target = addrPort("[2001:db8::1]:65535"), addrPort("[::1]:0") },
		func(p *Packet) { p.Payload = bytes.Repeat([]byte{0, 255}, 20000) },
		func(p *Packet) { p.Type, p.Protocol, p.CaptureID = PayloadSIP, ProtocolUDP, 1<<32-1 },
	} {
		want := sample()
		change(&want)
		var got Packet
		if err := got.Decode(want.AppendTo(nil)); err != nil {
			t.Fatal(err)
		}
		if !same(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	p := sample()
	wire := p.AppendTo(nil)
	at := func(i int, b ...byte) []byte {
		out := bytes.Clone(wire)
		copy(out[i:], b)
		return out
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"no HEP", []byte("OPTIONS sip:a SIP/2.0\r\n"), ErrMagic.Error()},
		{"HEPv1", []byte{1, 16, 2, 17}, ErrMagic.Error()},
		{"a length below the header's", []byte("HEP3\x00\x05"), ErrMagic.Error()},
		{"nothing", nil, ErrShort.Error()},
		{"magic alone", wire[:4], ErrShort.Error()},
		{"cut", wire[:len(wire)-1], ErrShort.Error()},
		{"too much", append(bytes.Clone(wire), 0), "1 bytes behind"},
		{"a chunk too short", at(10, 0, 5), "chunk 0x1 at 6 has length 5"},
		{"a chunk too long", at(10, 0xff, 0xff), "chunk 0x1 at 6 has length 65535"},
		{"a chunk of the wrong size", at(6, 0, 0, 0, 7), "chunk 0x7 has 1 bytes instead of 2"},
		{"a rest that is no chunk", []byte("HEP3\x00\x09\x00\x00\x00"), "without header at 6"},
	} {
		var got Packet
		if err := got.Decode(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestDecodePassesOverWhatItDoesNotKnow(t *testing.T) {
	wire := []byte("HEP3\x00\x1c" +
		"\x00\x03\x00\x01\x00\x08\xff\xff" + // another vendor's chunk 1
		"\x00\x00\x77\x77\x00\x07x" + // a type that nobody has given out
		"\x00\x00\x00\x02\x00\x07\x06")
	var p Packet
	if err := p.Decode(wire); err != nil || p.Protocol != ProtocolTCP {
		t.Errorf("protocol %d, %v", p.Protocol, err)
	}
}

func TestLength(t *testing.T) {
	p := sample()
	wire := p.AppendTo(nil)
	for i := range wire {
		n, err := Length(wire[:i])
		if i < headerSize && !errors.Is(err, ErrShort) || i >= headerSize && (err != nil || n != len(wire)) {
			t.Fatalf("of %d bytes: %d, %v", i, n, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, g := range golden {
		p := sample()
		g.change(&p)
		f.Add(p.AppendTo(nil))
	}
	f.Add([]byte("HEP3\x00\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p, back Packet
		if p.Decode(data) != nil {
			return
		}
		wire := p.AppendTo(nil)
		if err := back.Decode(wire); err != nil {
			t.Fatalf("what we write we cannot read: %v\n%x", err, wire)
		}
		if again := back.AppendTo(nil); !bytes.Equal(again, wire) {
			t.Fatalf("written twice:\n%x\n%x", wire, again)
		}
	})
}

// captures gives the packets that another implementation sent: recorded once,
// not part of the repository.
func captures(t *testing.T) map[string][]byte {
	t.Helper()
	root := os.Getenv("SIPREACTOR_TESTDATA")
	if root == "" {
		t.Skip("SIPREACTOR_TESTDATA is not set: no recorded packets to compare with")
	}
	files, err := filepath.Glob(filepath.Join(root, "hep", "*", "*.bin"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded packets in %s: %v", root, err)
	}
	all := make(map[string][]byte)
	for _, name := range files {
		if filepath.Base(name) == "stream.bin" {
			continue
		}
		if all[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// A recorded packet that is read and written again is what it was, byte for
// byte: the chunks, their order and their types are the same.
func TestCapturesSameOnTheWire(t *testing.T) {
	for name, wire := range captures(t) {
		var p Packet
		if err := p.Decode(wire); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if again := p.AppendTo(nil); !bytes.Equal(again, wire) {
			t.Errorf("%s:\n%x\nwe write\n%x", name, wire, again)
		}
	}
}

// The keys of recorded events are among ours and in our order.
func TestCapturesSameKeys(t *testing.T) {
	seen := 0
	for name, wire := range captures(t) {
		var p Packet
		if err := p.Decode(wire); err != nil {
			t.Fatal(err)
		}
		if p.Type != PayloadNet || !bytes.HasPrefix(p.Payload, []byte("{")) {
			continue
		}
		next := 0
		for _, key := range keysOf(t, bytes.ToValidUTF8(p.Payload, nil)) {
			for next < len(keys) && keys[next] != key {
				next++
			}
			if next == len(keys) {
				t.Errorf("%s: key %q is none of ours, or in another place", name, key)
			}
		}
		seen++
	}
	if seen == 0 {
		t.Error("no event with a JSON object among the recorded packets")
	}
}

// keysOf gives the keys of a JSON object in their order.
func keysOf(t *testing.T, object []byte) (list []string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatalf("%v in %q", err, object)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatalf("%v in %q", err, object)
		}
		var value string
		if err := d.Decode(&value); err != nil {
			t.Fatalf("%v in %q", err, object)
		}
		list = append(list, key.(string))
	}
	return list
}

// A stream that was recorded from TCP falls into the same packets.
func TestCapturesStream(t *testing.T) {
	captures(t)
	files, _ := filepath.Glob(filepath.Join(os.Getenv("SIPREACTOR_TESTDATA"), "hep", "*", "stream.bin"))
	for _, name := range files {
		stream, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for len(stream) > 0 {
			n, err := Length(stream)
			if err != nil || n > len(stream) {
				t.Fatalf("%s: %d of %d, %v", name, n, len(stream), err)
			}
			var p Packet
			if err := p.Decode(stream[:n]); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			stream = stream[n:]
		}
	}
}
