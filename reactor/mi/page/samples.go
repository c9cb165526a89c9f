package page

import (
	"time"

	"sipreactor/reactor"
)

// maxSamples is how many samples are kept: five minutes.
const maxSamples = int(5 * time.Minute / sampleEvery)

// sample is the engine's counters at one moment.
type sample struct {
	at                      time.Time
	messagesIn, messagesOut uint64
	bytesIn, bytesOut       uint64
	handshakes, failed      uint64
	connections             uint64
	closed                  [reactor.NoConnection]uint64
	refused                 uint64
}

// samples is a ring of the last ones.
type samples struct {
	ring [maxSamples]sample
	seq  int // of the next one, from 0
}

func (s *samples) add(now time.Time, st *reactor.Stats) {
	one := &s.ring[s.seq%maxSamples]
	*one = sample{at: now, messagesIn: st.MessagesIn, messagesOut: st.MessagesOut, bytesIn: st.BytesIn, bytesOut: st.BytesOut,
		handshakes: st.Handshakes, failed: st.HandshakesFailed, connections: uint64(st.Connections), refused: st.Refused}
	for r := range one.closed {
		one.closed[r] = st.Closed[reactor.Reason(r)]
	}
	s.seq++
}

// oldest is the number of the oldest sample that is still there.
func (s *samples) oldest() int { return max(0, s.seq-maxSamples) }

// from gives the samples since a number as rows of figures, in the order of
// SampleFields, and the number to ask for next.
func (s *samples) from(seq int) (rows [][]uint64, next int) {
	if seq > s.seq {
		seq = 0 // it is of another run of the program
	}
	rows = [][]uint64{}
	for i := max(seq, s.oldest()); i < s.seq; i++ {
		o := &s.ring[i%maxSamples]
		rows = append(rows, []uint64{uint64(o.at.UnixMilli()), o.messagesIn, o.messagesOut, o.bytesIn, o.bytesOut,
			o.handshakes, o.failed, o.connections})
	}
	return rows, s.seq
}

// sampleFields names what a row holds. Connections is a level, the others count
// since the start; Time is in milliseconds since 1970.
var sampleFields = []string{"Time", "MessagesIn", "MessagesOut", "BytesIn", "BytesOut", "Handshakes", "HandshakesFailed", "Connections"}

// ago gives the oldest sample, nil when there is none.
func (s *samples) ago() *sample {
	if s.seq == 0 {
		return nil
	}
	return &s.ring[s.oldest()%maxSamples]
}
