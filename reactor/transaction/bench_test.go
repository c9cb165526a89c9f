package transaction

import (
	"bytes"
	"net/netip"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// sink is a Sender that keeps the last messages in memory of its own.
type sink struct {
	last [4][]byte
	n    int
}

func (s *sink) Send(_ *reactor.Target, m reactor.Appender) (reactor.Outcome, error) {
	b := &s.last[s.n%len(s.last)]
	*b = m.AppendTo((*b)[:0])
	s.n++
	return reactor.Sent, nil
}

func (s *sink) Wait(f func()) bool { f(); return true }

// request returns the last message that is a request.
func (s *sink) request() []byte {
	for i := 1; i <= len(s.last); i++ {
		if b := s.last[(s.n-i+len(s.last))%len(s.last)]; !bytes.HasPrefix(b, []byte("SIP/2.0")) {
			return b
		}
	}
	return nil
}

// relayer is a Router that relays.
type relayer struct{ l *Layer }

func (r *relayer) Request(c *proxy.Context) { r.l.Relay(c, &Options{}) }
func (r *relayer) Response(*proxy.Context)  {}

// rack is a layer on a sink, with a clock that is set.
type rack struct {
	sink
	l   *Layer
	c   *proxy.Context
	now time.Duration
	b   []byte
}

func newRack(b testing.TB) *rack {
	k := &rack{}
	r := &relayer{}
	p, err := proxy.New(proxy.Config{Resolver: nobody{}}, r)
	if err != nil {
		b.Fatal(err)
	}
	p.SetSockets([]*reactor.Socket{tlsSocket, udpSocket})
	k.l = NewLayer(Config{}, p)
	r.l = k.l
	k.l.clock = func() time.Duration { return k.now }
	k.l.setShards(1)
	k.c = p.NewContext(k)
	return k
}

// tick lets time pass.
func (k *rack) tick(d time.Duration) {
	k.now += d
	c := k.l.context(k.c)
	k.l.shards[0].wheel.Advance(k.now, func(t *Timer, of uint64) {
		k.l.deliver(c, event{kind: evTimer, handle: of, timer: t}, nil)
	})
	k.l.putContext(c)
}

// respond answers the last request that was sent.
func (k *rack) respond(status string) {
	req := k.request()
	k.b = append(append(k.b[:0], "SIP/2.0 "...), status...)
	k.b = append(k.b, req[bytes.Index(req, []byte("\r\n")):]...)
	k.c.Receive(k.b, calleeOf(k.c))
}

var calleeTLS = &reactor.Source{Conn: 9, Proto: reactor.TLS, Outbound: true, Socket: tlsSocket,
	Remote: netip.MustParseAddrPort("203.0.113.9:5061"), Local: tlsSocket.Addr}

func calleeOf(*proxy.Context) *reactor.Source { return calleeTLS }

const benchInvite = "INVITE sip:bob@203.0.113.9:5061;transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS 198.51.100.7:40000;branch=z9hG4bK000000000000;rport\r\n" +
	"Max-Forwards: 70\r\nFrom: \"Alice\" <sip:alice@example.com>;tag=1928301774\r\nTo: <sip:bob@example.com>\r\nCall-ID: 000000000000@example.com\r\n" +
	"CSeq: 1 INVITE\r\nContact: <sip:alice@198.51.100.7:40000;transport=tls>\r\nUser-Agent: bench\r\nContent-Type: application/sdp\r\nContent-Length: 150\r\n\r\n" +
	"v=0\r\no=alice 2890844526 2890844526 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 49172 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8\r\n"

// number writes n over the zeros of a message.
func number(b []byte, n int) {
	for _, zeros := range [][]byte{[]byte("z9hG4bK"), []byte("Call-ID: ")} {
		at := bytes.Index(b, zeros) + len(zeros)
		for i, m := at+11, n; i >= at; i, m = i-1, m/10 {
			b[i] = byte('0' + m%10)
		}
	}
}

// BenchmarkCall is a call that is proxied statefully: INVITE, 100, 180, 200, ACK, BYE, 200. Its transactions end 32 s
// later, which is when their memory is used again.
func BenchmarkCall(b *testing.B) {
	for _, src := range []*reactor.Source{overTLS, overUDP} {
		b.Run(src.Proto.String(), func(b *testing.B) {
			k := newRack(b)
			invite := []byte(benchInvite)
			ack := bytes.Replace(bytes.Replace([]byte(benchInvite[:bytes.Index([]byte(benchInvite), []byte("\r\n\r\n"))+4]), []byte("INVITE"), []byte("ACK"), 2), []byte("Length: 150"), []byte("Length: 0"), 1)
			ack = bytes.Replace(ack, []byte("To: <sip:bob@example.com>"), []byte("To: <sip:bob@example.com>;tag=b"), 1)
			ack = bytes.Replace(ack, []byte("z9hG4bK"), []byte("z9hG4bK1"), 1)
			bye := bytes.Replace(bytes.Replace(ack, []byte("ACK"), []byte("BYE"), 2), []byte("CSeq: 1"), []byte("CSeq: 2"), 1)
			n := 0
			call := func() {
				n++
				number(invite, n)
				k.c.Receive(invite, src)
				k.respond("100 Trying")
				k.respond("180 Ringing")
				k.respond("200 OK")
				number(ack, n)
				k.c.Receive(ack, src)
				number(bye, n)
				k.c.Receive(bye, src)
				k.respond("200 OK")
				k.tick(10 * time.Millisecond)
			}
			for range 5000 { // as many as are alive at once
				call()
			}
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				call()
			}
		})
	}
}

// memory returns how many bytes a call's transaction takes while it rings, those of its request among them, and after its
// 2xx: everything on the heap that is there for it.
func memory(tb testing.TB, many int) (ringing, answered float64) {
	k := newRack(tb)
	invite := []byte(benchInvite)
	sent := make([][]byte, many)
	before := liveHeap()
	size := uint64(0)
	for n := range many {
		number(invite, n)
		k.c.Receive(invite, overTLS)
		sent[n] = bytes.Clone(k.request())
		size += uint64(cap(sent[n]))
	}
	ringing = float64(liveHeap()-before-size) / float64(many)
	for n := range many {
		k.b = append(append(k.b[:0], "SIP/2.0 200 OK"...), sent[n][bytes.Index(sent[n], []byte("\r\n")):]...)
		k.c.Receive(k.b, calleeTLS)
	}
	answered = float64(liveHeap()-before-size) / float64(many)
	runtime.KeepAlive(k)
	runtime.KeepAlive(sent)
	return ringing, answered
}

// TestMemory holds a transaction to its share of memory: what is promised, and little more than it is.
func TestMemory(t *testing.T) {
	ringing, answered := memory(t, 10000)
	if most := 1990.0; ringing-float64(len(benchInvite)) > most {
		t.Errorf("%.0f bytes besides the request's while it rings, want %.0f at most", ringing-float64(len(benchInvite)), most)
	}
	if answered > 200 {
		t.Errorf("%.0f bytes after the 2xx, want 200 at most", answered)
	}
}

// BenchmarkMemory tells the same.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		ringing, answered := memory(b, 20000)
		b.ReportMetric(ringing, "B/ringing")
		b.ReportMetric(answered, "B/answered")
		b.ReportMetric(float64(unsafe.Sizeof(Exchange{})), "B/Exchange")
		b.ReportMetric(float64(unsafe.Sizeof(Leg{})), "B/Leg")
		b.ReportMetric(float64(unsafe.Sizeof(Transaction{})), "B/Transaction")
		b.ReportMetric(float64(unsafe.Sizeof(proxy.Changes{})), "B/Changes")
		b.ReportMetric(float64(unsafe.Sizeof(remnant{})), "B/remnant")
	}
}
