package sipframe

import (
	"fmt"
	"math/rand/v2"
)

// event is a Cut at its place in the whole stream.
type event struct {
	kind   CutKind
	start  int
	end    int
	defect Defect
}

func (e event) String() string {
	return fmt.Sprintf("%v[%d:%d]%s", e.kind, e.start, e.end, e.defect.Reason)
}

// peer drives a Framer as an owner of a connection does: it keeps what NeedMore
// asks for, and nothing else.
type peer struct {
	f      Framer
	cfg    FramerConfig
	kept   []byte
	base   int // offset of kept in the stream
	events []event
	worst  int // most bytes kept
}

// read takes the bytes of one read.
func (p *peer) read(in []byte) {
	data := append(p.kept[:len(p.kept):len(p.kept)], in...)
	pos := 0
	for {
		cut := p.f.Next(&p.cfg, data[pos:])
		if cut.Kind == NeedMore {
			if cut.End != len(data)-pos || cut.Start > cut.End {
				panic(fmt.Sprintf("NeedMore %+v of %d", cut, len(data)-pos))
			}
			pos += cut.Start
			p.base, p.kept = p.base+pos, data[pos:]
			p.worst = max(p.worst, len(p.kept))
			return
		}
		p.events = append(p.events, event{cut.Kind, p.base + pos + cut.Start, p.base + pos + cut.End, cut.Defect})
		if cut.Kind == Bad {
			return
		}
		pos += cut.End
	}
}

// bad tells whether the framing is lost.
func (p *peer) bad() bool { return len(p.events) > 0 && p.events[len(p.events)-1].kind == Bad }

// feed gives a stream to a Framer in reads of the given sizes, the last one again
// and again; none is the whole.
func feed(cfg FramerConfig, stream []byte, sizes ...int) *peer {
	p := &peer{cfg: cfg}
	for i := 0; len(stream) > 0 && !p.bad(); i++ {
		n := len(stream)
		if len(sizes) > 0 {
			n = min(n, sizes[min(i, len(sizes)-1)])
		}
		p.read(stream[:n])
		stream = stream[n:]
	}
	return p
}

// randomSizes gives sizes of reads that add up to n at least.
func randomSizes(r *rand.Rand, n int) (sizes []int) {
	limit := 1 + r.IntN(n+1)
	for sum := 0; sum < n; {
		s := 1 + r.IntN(limit)
		sizes = append(sizes, s)
		sum += s
	}
	return append(sizes, n+1)
}
