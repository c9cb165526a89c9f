package watch

import (
	"time"

	"golang.org/x/sys/unix"
)

// Recent are sockets that took no more a moment ago. A Set tells when they do again, but
// only when the runtime looks at its poller: with every processor busy that is each 10 ms,
// in which hundreds of messages find no room. So a loop looks itself, between what it
// reads. C is what has the socket. The zero Recent is empty; one loop owns it.
type Recent[C interface{ Fd() int }] struct {
	socks  []C
	since  []int64
	polls  []unix.PollFd
	looked int64
}

const (
	recentMost = 8                             // sockets that are looked after
	recentLook = int64(200 * time.Microsecond) // how often
	recentTime = int64(200 * time.Millisecond) // and for how long: that reader is no quick one
)

// Add notes a socket that takes no more since now, in nanoseconds. One too many is not
// noted: the Set has it.
func (r *Recent[C]) Add(c C, now int64) {
	if len(r.socks) < recentMost {
		r.socks, r.since = append(r.socks, c), append(r.since, now)
	}
}

// Len returns how many are noted.
func (r *Recent[C]) Len() int { return len(r.socks) }

// Writable returns those that take bytes again, if it is time to look. It forgets those that
// blocked says are not blocked any more, whose descriptor may be gone, and those that took
// none for long. n tells how many of all they are.
func (r *Recent[C]) Writable(now int64, blocked func(C) bool) (all [recentMost]C, n int) {
	if now-r.looked < recentLook {
		return all, 0
	}
	r.looked = now
	socks, since := r.socks, r.since
	r.socks, r.since, r.polls = socks[:0], since[:0], r.polls[:0]
	for i, c := range socks {
		if blocked(c) && now-since[i] < recentTime {
			r.Add(c, since[i])
			r.polls = append(r.polls, unix.PollFd{Fd: int32(c.Fd()), Events: unix.POLLOUT})
		}
	}
	clear(socks[len(r.socks):])
	if told, _ := unix.Poll(r.polls, 0); told <= 0 {
		return all, 0
	}
	for i, p := range r.polls {
		if p.Revents != 0 {
			all[n] = r.socks[i]
			n++
		}
	}
	return all, n
}
