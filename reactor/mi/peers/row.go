package peers

import (
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Info is what is known of one peer.
type Info struct {
	// Name is the SIP domain or the address, with the port where requests are sent.
	Name string
	// Ends are where requests to it were sent, the last ones of its addresses.
	Ends []netip.AddrPort
	// Source is where its requests came from, for a peer that is known by that or
	// that the configuration names by an address; invalid else.
	Source netip.Addr
	// Configured tells that the configuration names it.
	Configured bool
	// RequestsIn came from it; RequestsOut were sent to it, ACKs not counted.
	RequestsIn, RequestsOut uint64
	// Answers are the responses to those, by class: Answers[0] are 1xx.
	Answers [6]uint64
	// Failed are requests that could not be sent or delivered to one of its
	// addresses; Refused are those that got a 503 of ours for that.
	Failed, Refused uint64
	// RoundTrip is the time from a request to its final response, an INVITE's to
	// its 100.
	RoundTrip Times
	// LastError is the last failure, "" if there was none.
	LastError   string
	LastErrorAt time.Time
	// Down is since when it fails; zero when it does not: it has answered or
	// a connection to it was established since.
	Down time.Time
}

// Unanswered gives how many requests have no final response, among them those that
// wait for one.
func (i *Info) Unanswered() uint64 {
	n := i.RequestsOut
	for _, answered := range i.Answers[1:] {
		n -= min(n, answered)
	}
	return n
}

// row is one peer's row. Any goroutine counts in it.
type row struct {
	name       string
	configured bool

	requestsIn, requestsOut atomic.Uint64
	answers                 [6]atomic.Uint64
	failed, refused         atomic.Uint64
	trips                   roundTrips
	down                    atomic.Int64 // nanoseconds since 1970; 0 = it is not
	trouble                 atomic.Pointer[trouble]

	// The table's lock guards these.
	ends    []netip.AddrPort
	source  netip.Addr
	counted uint64 // what activity was when the table was last swept
}

// trouble is a failure.
type trouble struct {
	text string
	at   time.Time
}

// maxError bounds the text that is kept of a failure, in bytes.
const maxError = 240

func newTrouble(err error, at time.Time) *trouble {
	text := err.Error()
	if len(text) > maxError {
		text = strings.ToValidUTF8(text[:maxError], "") + "…"
	}
	return &trouble{text, at}
}

// fails notes that the peer cannot be had.
func (r *row) fails(err error, at time.Time) {
	r.trouble.Store(newTrouble(err, at))
	r.down.CompareAndSwap(0, at.UnixNano())
}

// works notes that it can.
func (r *row) works() {
	if r.down.Load() != 0 {
		r.down.Store(0)
	}
}

// activity changes whenever anything is counted.
func (r *row) activity() uint64 {
	n := r.requestsIn.Load() + r.requestsOut.Load() + r.failed.Load() + r.refused.Load()
	for i := range r.answers {
		n += r.answers[i].Load()
	}
	return n
}

// info describes the row. The table's lock is held.
func (r *row) info() Info {
	i := Info{Name: r.name, Ends: slices.Clone(r.ends), Source: r.source, Configured: r.configured,
		RequestsIn: r.requestsIn.Load(), RequestsOut: r.requestsOut.Load(), Failed: r.failed.Load(), Refused: r.refused.Load(),
		RoundTrip: r.trips.times()}
	for c := range r.answers {
		i.Answers[c] = r.answers[c].Load()
	}
	if t := r.trouble.Load(); t != nil {
		i.LastError, i.LastErrorAt = t.text, t.at
	}
	if at := r.down.Load(); at != 0 {
		i.Down = time.Unix(0, at)
	}
	return i
}

// add takes in what is known of the same peer's own requests.
func (i *Info) add(r *row) {
	i.Source = r.source
	i.RequestsIn += r.requestsIn.Load()
	for c := range i.Answers {
		i.Answers[c] += r.answers[c].Load()
	}
	if t := r.trouble.Load(); t != nil && t.at.After(i.LastErrorAt) {
		i.LastError, i.LastErrorAt = t.text, t.at
	}
}

// Trouble orders peers for who looks for the cause: negative when a is in more
// trouble than b. Those that fail now come first, then by what was refused for
// them, by failures, by answers that blame a server, and by traffic.
func Trouble(a, b *Info) int {
	for _, by := range []func(*Info) uint64{
		func(i *Info) uint64 { return oneIf(!i.Down.IsZero()) },
		func(i *Info) uint64 { return i.Refused },
		func(i *Info) uint64 { return i.Failed },
		func(i *Info) uint64 { return i.Answers[4] + i.Answers[5] },
		func(i *Info) uint64 { return i.RequestsOut + i.RequestsIn },
	} {
		if x, y := by(a), by(b); x != y {
			if x > y {
				return -1
			}
			return 1
		}
	}
	return strings.Compare(a.Name, b.Name)
}

func oneIf(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
