package proxy

import (
	"context"
	"encoding/binary"
	"net"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor"
)

// record is what the name server of a test knows of a name and type.
type record struct {
	name string
	kind uint16 // 1 = A, 33 = SRV
	data []byte
}

func a(name, addr string) record { return record{name, 1, net.ParseIP(addr).To4()} }

func srv(name string, priority, port uint16, target string) record {
	b := binary.BigEndian.AppendUint16(nil, priority)
	b = binary.BigEndian.AppendUint16(b, 10)
	b = binary.BigEndian.AppendUint16(b, port)
	return record{name, 33, appendDNSName(b, target)}
}

func appendDNSName(b []byte, name string) []byte {
	for label := range strings.SplitSeq(strings.Trim(name, "."), ".") {
		if label != "" {
			b = append(append(b, byte(len(label))), label...)
		}
	}
	return append(b, 0)
}

// nameServer answers queries over UDP (RFC 1035 4) from a table, and gives a
// net.Resolver that asks it.
func nameServer(t *testing.T, zone []record) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			if out := dnsAnswer(buf[:n], zone); out != nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	t.Cleanup(func() {
		pc.Close()
		<-done
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

// dnsAnswer makes the response to a query of one question.
func dnsAnswer(q []byte, zone []record) []byte {
	if len(q) < 12 {
		return nil
	}
	var labels []string
	i := 12
	for i < len(q) && q[i] != 0 {
		labels = append(labels, string(q[i+1:i+1+int(q[i])]))
		i += 1 + int(q[i])
	}
	question := q[12 : i+5]
	name, kind := strings.Join(labels, "."), binary.BigEndian.Uint16(q[i+1:])
	var answers []byte
	count, known := 0, false
	for _, r := range zone {
		if !strings.EqualFold(r.name, name) {
			continue
		}
		known = true
		if r.kind == kind {
			count++
			answers = append(answers, 0xc0, 12, byte(kind>>8), byte(kind), 0, 1, 0, 0, 0, 60)
			answers = append(binary.BigEndian.AppendUint16(answers, uint16(len(r.data))), r.data...)
		}
	}
	code := byte(0x80)
	if !known {
		code |= 3 // no such name
	}
	out := append([]byte{q[0], q[1], 0x85, code, 0, 1, 0, byte(count), 0, 0, 0, 0}, question...)
	return append(out, answers...)
}

// RFC 3263 4.2.
func TestSystemResolverSRV(t *testing.T) {
	r := NewResolver(nameServer(t, []record{
		srv("_sips._tcp.example.com", 20, 5071, "two.example.com"),
		srv("_sips._tcp.example.com", 10, 5061, "one.example.com"),
		srv("_sip._tcp.example.com", 10, 5080, "two.example.com"),
		srv("_sip._udp.example.com", 0, 0, "."),
		a("example.com", "192.0.2.30"),
		a("one.example.com", "192.0.2.11"), a("one.example.com", "192.0.2.12"),
		a("two.example.com", "192.0.2.20"),
		a("plain.example.com", "192.0.2.40"),
	}))
	for _, tc := range []struct {
		name string
		q    Query
		want []string // nil: an error
	}{
		{"TLS by priority", Query{Host: "example.com", Proto: reactor.TLS, DefaultPort: 5061}, []string{"192.0.2.11:5061", "192.0.2.12:5061", "192.0.2.20:5071"}},
		{"TCP", Query{Host: "example.com", Proto: reactor.TCP, DefaultPort: 5060}, []string{"192.0.2.20:5080"}},
		{"a service that is not there", Query{Host: "example.com", Proto: reactor.UDP, DefaultPort: 5060}, nil},
		{"a port forbids SRV", Query{Host: "example.com", Proto: reactor.TLS, Port: 5099, DefaultPort: 5061}, []string{"192.0.2.30:5099"}},
		{"no SRV", Query{Host: "plain.example.com", Proto: reactor.TLS, DefaultPort: 5061}, []string{"192.0.2.40:5061"}},
		{"nothing", Query{Host: "none.example.com", Proto: reactor.TLS, DefaultPort: 5061}, nil},
	} {
		list, err := r.Lookup(t.Context(), tc.q)
		var got []string
		for _, ap := range list {
			got = append(got, ap.String())
		}
		if len(got) > 2 && got[0] > got[1] {
			got[0], got[1] = got[1], got[0] // addresses of one host are in no order
		}
		if !slices.Equal(got, tc.want) || (err == nil) != (tc.want != nil) {
			t.Errorf("%s: %q, %v, want %q", tc.name, got, err, tc.want)
		}
	}
}
