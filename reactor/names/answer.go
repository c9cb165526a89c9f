package names

import (
	"time"

	"sipreactor/reactor"
)

// MaxTargets is how many targets of one host are kept, the best ones.
const MaxTargets = 16

// Target is where a message may go.
type Target struct {
	reactor.EndPoint
	// Tier is how good it is: those of a lower tier are tried first. Item counts the
	// records of a tier: the addresses of one are tried one after the other, in
	// their order. Weight is the record's among those of its tier (RFC 2782).
	Tier, Item uint8
	Weight     uint16
}

// Answer is the targets of a host.
type Answer struct {
	// Targets are in the order of their tiers, and of the records in these.
	Targets []Target
	// TTL is how long the answer, or the error that came with it, may be kept; 0 is
	// not known.
	TTL time.Duration

	set *reactor.AddrSet
}

// NewAnswer makes an answer of targets that somebody has put together.
func NewAnswer(targets []Target) *Answer {
	a := &Answer{Targets: targets}
	a.settle()
	return a
}

// Set gives the targets as the engine wants them (reactor.Target.Set): of an answer
// that a Cache or NewAnswer gave and that has several; nil of any other.
func (a *Answer) Set() *reactor.AddrSet { return a.set }

// settle makes what goes with the answer.
func (a *Answer) settle() {
	if len(a.Targets) > MaxTargets {
		a.Targets = a.Targets[:MaxTargets]
	}
	if len(a.Targets) > 1 {
		a.set = &reactor.AddrSet{EndPoints: make([]reactor.EndPoint, len(a.Targets))}
		for i := range a.Targets {
			a.set.EndPoints[i] = a.Targets[i].EndPoint
		}
	}
}

// Order is the places of an answer's targets in the order to try them. The zero
// value has none.
type Order struct {
	at [MaxTargets]uint8
	n  uint8
}

// Len gives the number of targets.
func (o *Order) Len() int { return int(o.n) }

// At gives the place in Answer.Targets of the i-th target to try.
func (o *Order) At(i int) int { return int(o.at[i]) }

// Only gives the order of the i-th target alone.
func (o *Order) Only(i int) (alone Order) {
	alone.add(o.At(i))
	return alone
}

// Cut leaves no more than the first n.
func (o *Order) Cut(n int) { o.n = min(o.n, uint8(n)) }

func (o *Order) add(place int) {
	o.at[o.n] = uint8(place)
	o.n++
}

// Order draws an order as RFC 2782 has it. It depends on nothing but the targets
// and the seed, so a stateless proxy that takes it from the transaction sends what
// belongs to that to the same server (RFC 3263 4.3).
func (a *Answer) Order(seed uint64) (o Order) {
	list := a.Targets[:min(len(a.Targets), MaxTargets)]
	for i := 0; i < len(list); {
		end := i + 1
		for end < len(list) && list[end].Tier == list[i].Tier {
			end++
		}
		o.draw(list, i, end, &seed)
		i = end
	}
	return o
}

// draw orders one tier: again and again one of the records that are left, those
// without weight being first among them.
func (o *Order) draw(list []Target, from, to int, seed *uint64) {
	sum := 0
	var zeros, others [MaxTargets]uint8 // where each record begins
	nz, no := 0, 0
	for i := from; i < to; i++ {
		switch {
		case i > from && list[i].Item == list[i-1].Item:
		case list[i].Weight == 0:
			zeros[nz] = uint8(i)
			nz++
		default:
			others[no] = uint8(i)
			no++
			sum += int(list[i].Weight)
		}
	}
	left := append(zeros[:nz], others[:no]...)
	for len(left) > 0 {
		pick, run := 0, 0
		if len(left) > 1 && sum > 0 {
			r := int(next(seed) % uint64(sum+1))
			for pick = range left {
				if run += int(list[left[pick]].Weight); run >= r {
					break
				}
			}
		}
		first := int(left[pick])
		sum -= int(list[first].Weight)
		left = append(left[:pick], left[pick+1:]...)
		for i := first; i < to && list[i].Item == list[first].Item; i++ {
			o.add(i)
		}
	}
}

// next gives the next number of a series (splitmix64).
func next(seed *uint64) uint64 {
	*seed += 0x9e3779b97f4a7c15
	z := *seed
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
