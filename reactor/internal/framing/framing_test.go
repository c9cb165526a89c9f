package framing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor/internal/slab"
	"sipreactor/reactor/internal/websocket"
	"sipreactor/sipframe"
)

var cfg = sipframe.FramerConfig{MaxMessage: 65535, PingPong: true}

// input reads what it is given piece by piece, as a loop does.
type input struct {
	Framing
	slab     slab.Slab
	most     int
	got      []string // messages; "." is a ping
	shredded bool
}

// read is one read of plaintext, in records where secure.
func (in *input) read(secure bool, records ...string) {
	base, _ := in.Begin(&in.slab)
	for _, r := range records {
		n := copy(in.slab.Free(), r)
		in.slab.Took(n, secure)
	}
	for at := base; ; {
		cut, shredded := in.Next(&cfg, &in.slab, at, in.most)
		in.shredded = in.shredded || shredded
		switch cut.Kind {
		case sipframe.NeedMore:
			if cut.Start < len(in.slab.Bytes()) {
				in.shredded = in.Keep(&in.slab, cut.Start, in.most) || in.shredded
			} else {
				in.Whole()
			}
			return
		case sipframe.Frame:
			in.got = append(in.got, string(in.slab.Bytes()[cut.Start:cut.End]))
		case sipframe.Ping:
			in.got = append(in.got, ".")
		case sipframe.Dropped:
		case sipframe.Bad, sipframe.Over:
			in.got = append(in.got, "end")
			return
		}
		at = cut.End
	}
}

func message(n, body int) string {
	return fmt.Sprintf("MESSAGE sip:b@h SIP/2.0\r\nCall-ID: %d\r\nContent-Length: %d\r\n\r\n%s", n, body, strings.Repeat("x", body))
}

// However a stream is cut, the same messages come, and nothing is kept between them.
func TestPiecesMakeTheSameMessages(t *testing.T) {
	var want []string
	for i := range 20 {
		want = append(want, message(i, i*70))
	}
	all := strings.Join(want, "")
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var in input
		for rest := all; rest != ""; {
			n := min(1+rng.IntN(1+int(seed)*20), len(rest))
			in.read(false, rest[:n])
			rest = rest[n:]
			whole := strings.HasPrefix(all, strings.Join(in.got, "")) && len(strings.Join(in.got, "")) == len(all)-len(rest)
			if in.CutShort() == whole {
				t.Fatalf("seed %d: cut short: %v, with %d bytes to come", seed, in.CutShort(), len(rest))
			}
		}
		if !slices.Equal(in.got, want) || in.Drop() {
			t.Fatalf("seed %d: %d messages", seed, len(in.got))
		}
		in.slab.Release()
	}
	if n := sipframe.LiveBuffers(); n != 0 {
		t.Errorf("%d buffers are held", n)
	}
}

// A message may come in fewer chunks than most; the count is each message's own.
func TestShredded(t *testing.T) {
	m := message(1, 3000)
	for _, row := range []struct {
		name   string
		secure bool
		reads  [][]string
		most   int
		want   bool
	}{
		{"three small reads of four", false, [][]string{{m[:10]}, {m[10:20]}, {m[20:30]}, {m[30:]}}, 4, false},
		{"four of four", false, [][]string{{m[:10]}, {m[10:20]}, {m[20:30]}, {m[30:40]}, {m[40:]}}, 4, true},
		{"no limit", false, [][]string{{m[:10]}, {m[10:20]}, {m[20:30]}, {m[30:40]}, {m[40:]}}, 0, false},
		{"small records of the read that completes it", true, [][]string{{m[:10], m[10:20], m[20:30], m[30:40], m[40:]}}, 4, true},
		{"not so many", true, [][]string{{m[:10], m[10:20], m[20:30], m[30:]}}, 4, false},
		{"two messages of two each", false, [][]string{{m[:10]}, {m[10:20]}, {m[20:] + m[:10]}, {m[10:20]}, {m[20:]}}, 4, false},
	} {
		in := input{most: row.most}
		for _, r := range row.reads {
			if in.read(row.secure, r...); in.shredded {
				break
			}
		}
		if in.shredded != row.want {
			t.Errorf("%s: shredded: %v", row.name, in.shredded)
		}
		in.Drop()
		in.slab.Release()
	}
}

// What came behind an opening handshake is as if it were the first read.
func TestStart(t *testing.T) {
	var in input
	in.Start(nil)
	if in.Drop() {
		t.Error("nothing is kept")
	}
	m := message(1, 10)
	in.Start([]byte(m[:20]))
	if base, kept := in.Begin(&in.slab); !kept || string(in.slab.Bytes()[base:]) != m[:20] {
		t.Error("it is lost")
	}
	in.Keep(&in.slab, len(in.slab.Bytes())-20, 0)
	if in.read(false, m[20:]); !slices.Equal(in.got, []string{m}) {
		t.Errorf("%q", in.got)
	}
	in.slab.Release()
}

// The frames of WebSocket are cut in the place of the stream.
func TestWeb(t *testing.T) {
	var in input
	in.Web(websocket.NewStream(true))
	m := message(1, 20)
	frame := append([]byte{0x81, byte(len(m))}, m...)
	in.read(false, string(frame[:1]))
	if !in.CutShort() && !in.Begun() {
		t.Error("nothing has begun")
	}
	in.read(false, string(frame[1:9]))
	in.read(false, string(frame[9:]))
	if !slices.Equal(in.got, []string{m}) || in.Stream() == nil || in.Begun() || in.CutShort() {
		t.Errorf("%q", in.got)
	}
	in.slab.Release()
}

func TestFramingDoesNotAllocate(t *testing.T) {
	var in Framing
	var s slab.Slab
	m := message(1, 100)
	turn := func() {
		base, _ := in.Begin(&s)
		s.Took(copy(s.Free(), m), true)
		cut, _ := in.Next(&cfg, &s, base, 4)
		if cut.Kind != sipframe.Frame {
			t.Fatal(cut.Kind)
		}
		s.Rest()
	}
	turn()
	if n := testing.AllocsPerRun(100, turn); n > 0.5 { // a slab now and then
		t.Errorf("%v allocations", n)
	}
	s.Release()
}

// What comes in pieces and is no message, or comes beside the pieces of one, is no piece of the next.
func TestWebPieces(t *testing.T) {
	in := input{most: 4}
	in.Web(websocket.NewStream(true))
	const keepAlive = "\x81\x04\r\n\r\n"
	for range 3 {
		in.read(false, keepAlive[:3])
		in.read(false, keepAlive[3:])
	}
	m := message(1, 20)
	first, rest := string([]byte{0x01, 30})+m[:30], string([]byte{0x80, byte(len(m) - 30)})+m[30:]
	const ping = "\x89\x011"
	in.read(true, first[:9], first[9:]+ping, ping, ping)
	in.read(true, rest[:9])
	if in.read(true, rest[9:]); in.shredded || !slices.Equal(in.got, []string{".", ".", ".", m}) {
		t.Errorf("shredded: %v, %q", in.shredded, in.got)
	}
	in.Drop()
	in.slab.Release()
}
