package hep

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// sample is a packet with a value in each field.
func sample() Packet {
	return Packet{
		Source: addrPort("192.0.2.7:40000"), Target: addrPort("198.51.100.1:5061"),
		Protocol: ProtocolTLS, Time: time.Unix(1795384430, 337965000), Type: PayloadNet, CaptureID: 1,
		Payload: []byte(`{"a":1}`), Correlation: []byte("4294967297"), AuthKey: []byte("key"),
	}
}

// golden writes down what the packets look like on the wire, chunk by chunk.
var golden = []struct {
	name   string
	change func(*Packet)
	wire   string
}{
	{"IPv4 with every chunk", func(*Packet) {}, `
		48455033 0083
		0000 0001 0007 02
		0000 0002 0007 16
		0000 0007 0008 9c40
		0000 0008 0008 13c5
		0000 0009 000a 6b03646e
		0000 000a 000a 0005282d
		0000 000b 0007 59
		0000 000c 000a 00000001
		0000 0003 000a c0000207
		0000 0004 000a c6336401
		0000 000f 000d 7b2261223a317d
		0000 0011 0010 34323934393637323937
		0000 000e 0009 6b6579`},
	{"IPv6 without the optional chunks", func(p *Packet) {
		p.Source, p.Target = addrPort("[2001:db8::1]:1"), addrPort("[2001:db8::2]:2")
		p.Correlation, p.AuthKey = nil, nil
		p.Protocol, p.Type, p.CaptureID, p.Payload = ProtocolTCP, PayloadSIP, 0xfffefdfc, []byte("x")
	}, `
		48455033 007c
		0000 0001 0007 0a
		0000 0002 0007 06
		0000 0007 0008 0001
		0000 0008 0008 0002
		0000 0009 000a 6b03646e
		0000 000a 000a 0005282d
		0000 000b 0007 01
		0000 000c 000a fffefdfc
		0000 0005 0016 20010db8000000000000000000000001
		0000 0006 0016 20010db8000000000000000000000002
		0000 000f 0007 78`},
	{"families mixed", func(p *Packet) {
		p.Source, p.Target = addrPort("[2001:db8::1]:1"), addrPort("192.0.2.1:2")
		p.Correlation, p.AuthKey, p.Payload = nil, nil, nil
	}, `
		48455033 007b
		0000 0001 0007 0a
		0000 0002 0007 16
		0000 0007 0008 0001
		0000 0008 0008 0002
		0000 0009 000a 6b03646e
		0000 000a 000a 0005282d
		0000 000b 0007 59
		0000 000c 000a 00000001
		0000 0005 0016 20010db8000000000000000000000001
		0000 0006 0016 00000000000000000000ffffc0000201
		0000 000f 0006`},
	{"IPv4 written as IPv6, local address unknown", func(p *Packet) {
		p.Source, p.Target = addrPort("[::ffff:192.0.2.1]:1"), netip.AddrPort{}
		p.Correlation, p.AuthKey, p.Payload = nil, nil, nil
	}, `
		48455033 0063
		0000 0001 0007 02
		0000 0002 0007 16
		0000 0007 0008 0001
		0000 0008 0008 0000
		0000 0009 000a 6b03646e
		0000 000a 000a 0005282d
		0000 000b 0007 59
		0000 000c 000a 00000001
		0000 0003 000a c0000201
		0000 0004 000a 00000000
		0000 000f 0006`},
}

func TestPacketGolden(t *testing.T) {
	for _, g := range golden {
		t.Run(g.name, func(t *testing.T) {
			p := sample()
			g.change(&p)
			want, err := hex.DecodeString(strings.Join(strings.Fields(g.wire), ""))
			if err != nil {
				t.Fatal(err)
			}
			if got := p.AppendTo(nil); !bytes.Equal(got, want) {
				t.Errorf("wrote\n%x\nwant\n%x", got, want)
			}
			const before = "what stood there"
			if got := p.AppendTo([]byte(before)); string(got) != before+string(want) {
				t.Errorf("behind other bytes: %x", got)
			}
		})
	}
}

func TestPacketAddressesUnknown(t *testing.T) {
	p := Packet{Protocol: ProtocolTLS, Type: PayloadNet}
	var got Packet
	if err := got.Decode(p.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	if want := addrPort("0.0.0.0:0"); got.Source != want || got.Target != want {
		t.Errorf("addresses %v and %v", got.Source, got.Target)
	}
	p.Target = addrPort("[2001:db8::2]:2")
	if err := got.Decode(p.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	if got.Source != addrPort("[::]:0") || got.Target != p.Target {
		t.Errorf("addresses %v and %v", got.Source, got.Target)
	}
}

// A payload that is too long loses its end; what comes behind it stays.
func TestPacketTooLong(t *testing.T) {
	p := sample()
	for _, n := range []int{65000, MaxPacket - 125, MaxPacket - 124, MaxPacket - 123, 65507, 65535, 1 << 20} {
		p.Payload = bytes.Repeat([]byte("x"), n)
		wire := p.AppendTo(nil)
		if len(wire) > MaxPacket {
			t.Errorf("payload of %d: packet of %d", n, len(wire))
		}
		if n >= MaxPacket && len(wire) != MaxPacket {
			t.Errorf("payload of %d: only %d are used", n, len(wire))
		}
		var got Packet
		if err := got.Decode(wire); err != nil {
			t.Errorf("payload of %d: %v", n, err)
		}
		if string(got.Correlation) != "4294967297" || string(got.AuthKey) != "key" {
			t.Errorf("payload of %d: the tail is %q %q", n, got.Correlation, got.AuthKey)
		}
	}
}

func TestPacketAllocatesNothing(t *testing.T) {
	p := sample()
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { buf = p.AppendTo(buf[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	var back Packet
	if n := testing.AllocsPerRun(100, func() {
		if err := back.Decode(buf); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations to decode", n)
	}
}

func BenchmarkPacketAppend(b *testing.B) {
	p := sample()
	p.Payload = bytes.Repeat([]byte("x"), 500)
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = p.AppendTo(buf[:0])
	}
}
