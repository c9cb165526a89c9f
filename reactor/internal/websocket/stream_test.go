package websocket

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"sipreactor/sipframe"
)

var config = &sipframe.FramerConfig{MaxMessage: 4096, PingPong: true}

// frame is one as a client sends it, a server's with masked false.
func frame(op ws.OpCode, fin, masked bool, payload string) []byte {
	f := ws.NewFrame(op, fin, []byte(payload))
	if masked {
		f = ws.MaskFrameWith(f, [4]byte{0xde, 0xad, 0xbe, 0xef})
	}
	return ws.MustCompileFrame(f)
}

func masked(op ws.OpCode, payload string) []byte { return frame(op, true, true, payload) }

// drive feeds a stream as the engine does: what is left over comes again with more
// behind it. It returns what happened in words, pongs included.
func drive(s *Stream, pieces ...[]byte) (events []string, rest int) {
	var kept []byte
	for _, p := range pieces {
		b := append(kept, p...)
		pos := 0
	piece:
		for {
			cut := s.Next(config, b[pos:])
			start, end := pos+cut.Start, pos+cut.End
			switch cut.Kind {
			case sipframe.NeedMore:
				kept = slices.Clone(b[start:])
				break piece
			case sipframe.Frame:
				events = append(events, string(b[start:end]))
			case sipframe.Ping, sipframe.Dropped:
				events = append(events, cut.Kind.String())
			case sipframe.Bad:
				return append(events, fmt.Sprintf("Bad %s %d", cut.Defect.Reason, s.Code())), 0
			case sipframe.Over:
				return append(events, fmt.Sprintf("Over %d", s.Code())), 0
			}
			pos = end
		}
		if answer, came := s.Pinged(); came {
			events = append(events, fmt.Sprintf("answer %x", answer))
		}
	}
	return events, len(kept)
}

const (
	options = "OPTIONS sip:a@example.com SIP/2.0\r\nCall-ID: 1\r\n\r\n"
	reply   = "SIP/2.0 200 OK\r\nCall-ID: 1\r\nContent-Length: 4\r\n\r\nbody"
)

var long = "MESSAGE sip:a@example.com SIP/2.0\r\nCall-ID: 2\r\n\r\n" + strings.Repeat("0123456789", 300)

func join(list ...[]byte) []byte { return bytes.Join(list, nil) }

// conversations are what clients send, and what it comes to however it is cut: pings
// apart, of which the last one of a read is answered.
var conversations = map[string]struct {
	in   []byte
	want []string
}{
	"a text message":   {masked(ws.OpText, options), []string{options}},
	"a binary message": {masked(ws.OpBinary, reply), []string{reply}},
	"several": {join(masked(ws.OpText, options), masked(ws.OpText, reply), masked(ws.OpText, long)),
		[]string{options, reply, long}},
	"fragments": {join(frame(ws.OpText, false, true, long[:7]), frame(ws.OpContinuation, false, true, ""), frame(ws.OpContinuation, false, true, long[7:1000]),
		frame(ws.OpContinuation, true, true, long[1000:]), masked(ws.OpText, options)), []string{long, options}},
	"an empty first fragment": {join(frame(ws.OpBinary, false, true, ""), frame(ws.OpContinuation, true, true, options)), []string{options}},
	"control frames between fragments": {join(frame(ws.OpText, false, true, options[:9]), masked(ws.OpPong, "x"), frame(ws.OpContinuation, false, true, options[9:10]),
		masked(ws.OpPong, ""), frame(ws.OpContinuation, true, true, options[10:])), []string{options}},
	"keep-alives":                 {join(masked(ws.OpText, "\r\n\r\n"), masked(ws.OpText, "\r\n"), masked(ws.OpBinary, ""), masked(ws.OpText, options)), []string{"Ping", "Dropped", "Dropped", options}},
	"close":                       {join(masked(ws.OpText, options), masked(ws.OpClose, "\x03\xe9bye"), masked(ws.OpText, options)), []string{options, "Over 1001"}},
	"close without a code":        {masked(ws.OpClose, ""), []string{"Over 1005"}},
	"close in a fragment":         {join(frame(ws.OpText, false, true, options[:9]), masked(ws.OpClose, "\x03\xe8")), []string{"Over 1000"}},
	"close with half a code":      {masked(ws.OpClose, "\x03"), []string{"Over 1002"}},
	"close with a code of nobody": {masked(ws.OpClose, "\x03\xed"), []string{"Over 1002"}},
	"close without UTF-8":         {masked(ws.OpClose, "\x03\xe8\xff"), []string{"Over 1002"}},
	"UTF-8 of several bytes":      {masked(ws.OpText, options+"gr\u00fc\u00df \u4f60\u597d"), []string{options + "gr\u00fc\u00df \u4f60\u597d"}},
	"no UTF-8 in binary":          {masked(ws.OpBinary, options+"\xff\xfe"), []string{options + "\xff\xfe"}},
	"no UTF-8 in text":            {masked(ws.OpText, options+"\xff\xfe"), []string{"Bad Text Frame without UTF-8 1007"}},
	"no UTF-8 in a fragment of text": {join(frame(ws.OpText, false, true, options), frame(ws.OpContinuation, true, true, "\xff\xfe")),
		[]string{"Bad Text Frame without UTF-8 1007"}},
	"no mask":                    {frame(ws.OpText, true, false, options), []string{"Bad WebSocket Frame without a Mask 1002"}},
	"reserved bits":              {join(masked(ws.OpText, options), append([]byte{0xc1}, masked(ws.OpText, options)[1:]...)), []string{options, "Bad WebSocket Frame with Reserved Bits 1002"}},
	"a reserved kind":            {masked(ws.OpCode(3), "x"), []string{"Bad WebSocket Frame of a Reserved Kind 1002"}},
	"a reserved control frame":   {masked(ws.OpCode(11), "x"), []string{"Bad WebSocket Frame of a Reserved Kind 1002"}},
	"a large control frame":      {masked(ws.OpPing, strings.Repeat("p", 126)), []string{"Bad WebSocket Control Frame too Large 1002"}},
	"a control frame in pieces":  {frame(ws.OpPing, false, true, "p"), []string{"Bad WebSocket Control Frame in Fragments 1002"}},
	"a fragment of nothing":      {frame(ws.OpContinuation, true, true, options), []string{"Bad WebSocket Fragment of No Message 1002"}},
	"a message within another":   {join(frame(ws.OpText, false, true, options[:3]), masked(ws.OpText, options)), []string{"Bad WebSocket Message within Another 1002"}},
	"a length with idle bytes":   {[]byte{0x81, 0xfe, 0, 5, 1, 2, 3, 4}, []string{"Bad WebSocket Frame with a Bad Length 1002"}},
	"a length that one byte has": {join([]byte{0x81, 0xfe, 0, 125}, make([]byte, 4)), []string{"Bad WebSocket Frame with a Bad Length 1002"}},
	"a long length with them":    {[]byte{0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4}, []string{"Bad WebSocket Frame with a Bad Length 1002"}},
	"a length below zero":        {[]byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, []string{"Bad WebSocket Frame with a Bad Length 1002"}},
	"all the memory there is":    {[]byte{0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, []string{"Bad " + sipframe.ReasonTooLarge + " 1009"}},
	"a frame too large":          {masked(ws.OpText, strings.Repeat("x", 4097)), []string{"Bad " + sipframe.ReasonTooLarge + " 1009"}},
	"fragments too large": {join(frame(ws.OpText, false, true, long), frame(ws.OpContinuation, true, true, long)),
		[]string{"Bad " + sipframe.ReasonTooLarge + " 1009"}},
	"fragments without an end": {join(frame(ws.OpText, false, true, long), frame(ws.OpContinuation, false, true, long)),
		[]string{"Bad " + sipframe.ReasonTooLarge + " 1009"}},
	"two messages in a frame": {masked(ws.OpText, reply+reply), []string{"Bad Bytes Behind the End 1007"}},
	"less than a message":     {masked(ws.OpText, reply[:len(reply)-1]), []string{"Bad Content-Length beyond the End 1007"}},
	"half a message in a frame": {join(masked(ws.OpText, options[:20]), masked(ws.OpText, options[20:])),
		[]string{"Bad No Empty Line Behind the Header 1007"}},
	"no SIP": {masked(ws.OpText, "hello"), []string{"Bad No Empty Line Behind the Header 1007"}},
}

func TestConversations(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, c := range conversations {
		t.Run(name, func(t *testing.T) {
			check := func(how string, pieces ...[]byte) {
				t.Helper()
				s := NewStream(false)
				got, rest := drive(s, pieces...)
				got = slices.DeleteFunc(got, func(e string) bool { return strings.HasPrefix(e, "answer") })
				if !slices.Equal(got, c.want) {
					t.Fatalf("%s: %.300q, want %.300q", how, got, c.want)
				}
				if rest != 0 || !s.over && s.Unfinished() {
					t.Fatalf("%s: %d bytes are left", how, rest)
				}
			}
			check("whole", c.in)
			check("byte by byte", slices.Collect(slices.Chunk(c.in, 1))...)
			for i := range min(len(c.in), 200) {
				check(fmt.Sprint("cut at ", i), c.in[:i], c.in[i:])
			}
			for range 50 {
				var pieces [][]byte
				for rest := c.in; len(rest) > 0; {
					n := 1 + rng.IntN(len(rest))
					pieces, rest = append(pieces, rest[:n]), rest[n:]
				}
				check("cut at random", pieces...)
			}
		})
	}
}

// A frame that cannot be right is told by the bytes that show it, not by those that
// a peer may keep back.
func TestEarly(t *testing.T) {
	for name, b := range map[string][]byte{
		"reserved bits": {0xc1}, "a reserved kind": {0x83}, "a control frame in pieces": {0x09},
		"a fragment of nothing": {0x80}, "no mask": {0x81, 0x05}, "a large control frame": {0x89, 0xfe},
	} {
		if got, _ := drive(NewStream(false), b); len(got) != 1 || !strings.HasPrefix(got[0], "Bad") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Of the pings of one read the last one is answered, in the middle of a message as well.
func TestPings(t *testing.T) {
	s := NewStream(false)
	got, _ := drive(s, join(masked(ws.OpPing, "1"), frame(ws.OpText, false, true, options[:5]), masked(ws.OpPing, "2")),
		join(frame(ws.OpContinuation, true, true, options[5:]), masked(ws.OpPing, strings.Repeat("p", 125))), masked(ws.OpPong, ""))
	want := []string{"answer 8a0132", options, "answer 8a7d" + strings.Repeat("70", 125), "answer "}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if answer, came := s.Pinged(); came || answer != nil {
		t.Errorf("once more: %x", answer)
	}
}

// A client takes what a server sends, and no masks; what it sends has them.
func TestClient(t *testing.T) {
	got, _ := drive(NewStream(true), join(frame(ws.OpText, true, false, options), frame(ws.OpPing, true, false, "x"), frame(ws.OpText, false, false, reply[:9])),
		frame(ws.OpContinuation, true, false, reply[9:]))
	if len(got) != 3 || got[0] != options || got[2] != reply {
		t.Fatalf("%q", got)
	}
	pong := []byte(nil)
	if _, err := fmt.Sscanf(got[1], "answer %x", &pong); err != nil {
		t.Fatal(err)
	}
	f, err := ws.ReadFrame(bytes.NewReader(pong))
	if err != nil || !f.Header.Masked || f.Header.OpCode != ws.OpPong || string(ws.UnmaskFrame(f).Payload) != "x" {
		t.Errorf("%+v, %v", f, err)
	}
	if got, _ = drive(NewStream(true), masked(ws.OpText, options)); !slices.Equal(got, []string{"Bad WebSocket Frame with a Mask 1002"}) {
		t.Errorf("%q", got)
	}
}

// What a stream sends, another one of the other side reads.
func TestSend(t *testing.T) {
	for _, client := range []bool{false, true} {
		for _, n := range []int{0, 1, 125, 126, 127, 1000, 65535, 65536, 70000} {
			for _, text := range []bool{true, false} {
				message := "OPTIONS sip:a SIP/2.0\r\n\r\n" + strings.Repeat("x", n)
				if message = message[:n]; !text && n > 0 {
					message = message[:n-1] + "\xff"
				}
				s := NewStream(client)
				b := []byte("before")
				from := len(b)
				b = append(s.Open(b), message...)
				b, begin := s.Close(b, from)
				if string(b[begin:]) != message || string(b[:from]) != "before" {
					t.Fatalf("%d bytes: the message is not where it should be", n)
				}
				s.Turn(b, begin, len(b))
				f, err := ws.ReadFrame(bytes.NewReader(b[from:]))
				if err != nil || f.Header.Masked != client || !f.Header.Fin || (f.Header.OpCode == ws.OpText) != (text || n == 0) || ws.HeaderSize(f.Header) != begin-from {
					t.Fatalf("%d bytes: %+v, %v", n, f.Header, err)
				}
				if got := string(ws.UnmaskFrame(f).Payload); client && got != message || !client && string(f.Payload) != message {
					t.Fatalf("%d bytes came wrong", n)
				}
				if s.Turn(b, begin, len(b)); string(b[begin:]) != message {
					t.Fatalf("%d bytes: the mask did not come off", n)
				}
			}
		}
	}
}

// Workers send while the loop reads: the race detector tells if they share what changes.
func TestSendBesideReading(t *testing.T) {
	for _, client := range []bool{false, true} {
		s := NewStream(client)
		const times = 30000 // so that they do meet
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range times {
				b, from := s.Close(append(s.Open(nil), reply...), 0)
				s.Turn(b, from, len(b))
			}
		}()
		first, second := frame(ws.OpText, false, !client, options[:7]), frame(ws.OpContinuation, true, !client, options[7:])
		for range times {
			if events, rest := drive(s, first, second); len(events) != 1 || events[0] != options || rest != 0 {
				t.Fatalf("client %v: %q, %d left over", client, events, rest)
			}
		}
		<-done
	}
}

func TestGoodbye(t *testing.T) {
	for in, want := range map[string]string{
		"":                                      "880203e9", // ours
		string(masked(ws.OpClose, "\x03\xe8x")): "880203e8",
		string(masked(ws.OpClose, "")):          "8800",
		string(masked(ws.OpClose, "\x03")):      "880203ea",
		string(masked(ws.OpClose, "\x0f\xa0private")):        "88020fa0",
		string(frame(ws.OpText, true, false, options)):       "880203ea",
		string(masked(ws.OpText, strings.Repeat("a", 5000))): "880203f1",
	} {
		s := NewStream(false)
		drive(s, []byte(in))
		if got := fmt.Sprintf("%x", s.Goodbye(GoingAway)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// A message costs no allocation, read or sent.
func TestNoGarbage(t *testing.T) {
	wire := masked(ws.OpText, long)
	b, s, out := make([]byte, len(wire)), NewStream(false), make([]byte, 0, 8192)
	if n := testing.AllocsPerRun(100, func() {
		copy(b, wire)
		if cut := s.Next(config, b); cut.Kind != sipframe.Frame {
			t.Fatal(cut)
		}
		out = append(s.Open(out[:0]), long...)
		out, _ = s.Close(out, 0)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// However a stream is cut, it comes to the same.
func FuzzStream(f *testing.F) {
	for _, c := range conversations {
		f.Add(c.in, uint64(3), false)
	}
	f.Add(frame(ws.OpText, true, false, options), uint64(1), true)
	f.Fuzz(func(t *testing.T, in []byte, seed uint64, client bool) {
		silent := func(list []string) []string {
			return slices.DeleteFunc(list, func(e string) bool { return strings.HasPrefix(e, "answer") })
		}
		whole, rest := drive(NewStream(client), slices.Clone(in))
		rng := rand.New(rand.NewPCG(seed, 1))
		var pieces [][]byte
		for b := in; len(b) > 0; {
			n := 1 + rng.IntN(len(b))
			pieces, b = append(pieces, b[:n]), b[n:]
		}
		s := NewStream(client)
		cut, left := drive(s, pieces...)
		if !slices.Equal(silent(whole), silent(cut)) || rest != left {
			t.Fatalf("whole %q and %d, cut %q and %d", whole, rest, cut, left)
		}
		if s.got > config.MaxMessage {
			t.Fatalf("%d bytes are kept", s.got)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	wire := masked(ws.OpText, "OPTIONS sip:a@example.com SIP/2.0\r\n"+strings.Repeat("X-Header: some value of it\r\n", 20)+"\r\n")
	buf, s := make([]byte, len(wire)), NewStream(false)
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		copy(buf, wire)
		if s.Next(config, buf).Kind != sipframe.Frame {
			b.Fatal("no message")
		}
	}
}

// What broke the stream is told again and again, and answered once; it is no end in order.
func TestBadIsAnsweredOnce(t *testing.T) {
	s := NewStream(false)
	bad := masked(ws.OpText, "OPTIONS sip:a@example.com SIP/2.0\r\nCall-ID: 1\r\nContent-Length: x\r\n\r\n")
	first, again := s.Next(config, bad), s.Next(config, nil)
	if first.Kind != sipframe.Bad || !first.Defect.Answerable || again.Kind != sipframe.Bad || again.Defect.Answerable || again.Defect.Reason != first.Defect.Reason {
		t.Errorf("%+v, then %+v", first, again)
	}
	if s.Over() {
		t.Error("it is over in order")
	}
}

// Between fragments a message is under way.
func TestUnfinished(t *testing.T) {
	s := NewStream(false)
	if drive(s, masked(ws.OpPing, "")); s.Unfinished() {
		t.Error("nothing has begun")
	}
	if drive(s, frame(ws.OpText, false, true, "")); !s.Unfinished() {
		t.Error("a message has begun")
	}
	if drive(s, frame(ws.OpContinuation, true, true, options)); s.Unfinished() {
		t.Error("it is whole")
	}
}
