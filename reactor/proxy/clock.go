package proxy

import (
	"encoding/binary"
	"time"

	"sipreactor/sipframe"
)

// clockParam is the parameter of our Via that tells when the request was sent.
// It is no part of the branch: a retransmission has the same branch (RFC 3261
// 16.11) and so has a CANCEL, and both are sent later.
const clockParam = ";at="

const (
	clockBytes = 10
	clockText  = len(clockParam) + clockBytes*8/5

	clockMask = 1<<39 - 1 // microseconds: more than six days

	// maxRoundTrip is the longest time that is told. What took longer was not
	// under way, it was answered late: a Timer C of RFC 3261 16.6 item 11.
	maxRoundTrip = 3 * time.Minute
)

// clock is what the parameter says: 39 bits that tell the time of sending, in
// microseconds since 1970.
//
// If the Router has changed what is the same in all messages of a transaction
// (From, To, Call-ID, CSeq), responses bring what it has written, and only their
// Via can be compared. Then edited is set, and the bits are a hash of that.
type clock struct {
	bits   uint64
	edited bool
}

// ticking gives the time in microseconds since 1970. It goes on evenly when the
// system's clock is set.
func ticking() func() uint64 {
	born := time.Now()
	from := born.UnixMicro()
	return func() uint64 { return uint64(from + time.Since(born).Microseconds()) }
}

// appendClock writes the parameter. The last 40 bits are a keyed hash over the
// others and the branch's token: nobody can tell us another time.
func (k *keys) appendClock(dst []byte, c clock, t *token) []byte {
	var raw [clockBytes]byte
	v := c.bits & clockMask << 1
	if c.edited {
		v |= 1
	}
	put40(raw[:], v)
	put40(raw[5:], k.clockSeal(v, t))
	return appendBase32(append(dst, clockParam...), raw[:])
}

// readClock reads the parameter out of our Via's. False: it is not there, or it
// is not ours.
func (k *keys) readClock(params []byte, t *token) (c clock, ok bool) {
	text, ok := sipframe.FindParam(params, clockParam[1:len(clockParam)-1])
	var raw [clockBytes]byte
	if !ok || !parseBase32(raw[:], text) {
		return clock{}, false
	}
	v := get40(raw[:])
	if get40(raw[5:]) != k.clockSeal(v, t) {
		return clock{}, false
	}
	return clock{bits: v >> 1, edited: v&1 != 0}, true
}

func (k *keys) clockSeal(v uint64, t *token) uint64 {
	var in [20]byte
	binary.BigEndian.PutUint64(in[:], v)
	binary.BigEndian.PutUint64(in[8:], t.trans)
	binary.BigEndian.PutUint32(in[16:], t.check)
	return hash(&k.clock, in[:]) & (1<<40 - 1)
}

// since gives the time from a clock to now, 0 if it is not known or too long ago.
func (c clock) since(now uint64) time.Duration {
	d := time.Duration((now-c.bits)&clockMask) * time.Microsecond
	if c.edited || d > maxRoundTrip {
		return 0
	}
	return max(d, time.Microsecond)
}

func put40(b []byte, v uint64) {
	b[0] = byte(v >> 32)
	binary.BigEndian.PutUint32(b[1:], uint32(v))
}

func get40(b []byte) uint64 { return uint64(b[0])<<32 | uint64(binary.BigEndian.Uint32(b[1:])) }
