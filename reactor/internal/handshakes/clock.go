package handshakes

import "time"

// Clock is the time that a peer may take over its whole handshake. It runs only
// while we wait for the peer's bytes, so that what we compute and sign costs the peer
// nothing. Times are nanoseconds on one clock, above 0.
type Clock struct {
	left    time.Duration // what the peer may still take
	granted time.Duration // round-trip time added so far
	flights int           // of ours, for which none was added yet
	since   int64         // start of this wait; 0 = it does not run
	begun   int64
}

// NewClock returns the clock of a handshake that begins now; it does not run yet.
func NewClock(limit time.Duration, now int64) Clock { return Clock{left: limit, begun: now} }

// Start begins a wait for the peer and returns when its time is over. spoke tells
// that we have sent something, for which the path's round-trip time may be added.
func (c *Clock) Start(now int64, spoke bool) (due int64) {
	if spoke {
		c.flights++
	}
	c.since = now
	return now + int64(c.left)
}

// Stop ends a wait: the peer's bytes are here.
func (c *Clock) Stop(now int64) {
	if c.since != 0 {
		c.left -= time.Duration(now - c.since)
		c.since = 0
	}
}

// Runs reports whether we wait for the peer.
func (c *Clock) Runs() bool { return c.since != 0 }

// Due returns when the peer's time is over, in a wait. When that is past, the path's
// round-trip time is asked for and added for each flight that we sent, up to most in
// all, so that it may be later than it was.
func (c *Clock) Due(now int64, roundTrip func() time.Duration, most time.Duration) (due int64) {
	if now >= c.since+int64(c.left) && c.flights != 0 {
		more := min(time.Duration(c.flights)*roundTrip(), most-c.granted)
		c.granted += more
		c.left += more
		c.flights = 0
	}
	return c.since + int64(c.left)
}

// Took returns how long the handshake has taken, our own time included.
func (c *Clock) Took(now int64) time.Duration { return time.Duration(now - c.begun) }
