package poller

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Alone returns a loop that no Poller runs: what is done on loops is tried on it, without
// one. All that it does is to have a handler told of sockets that close. It never sleeps, and
// nothing is to be read on it.
func Alone(h LoopHandler) *Loop {
	return &Loop{handler: h, poll: [1]unix.PollFd{{Fd: -1}}, failed: errAlone}
}

var errAlone = errors.New("the loop has no poller")

// Give has a loop that is alone have a socket with a descriptor, which nothing is read from.
func (l *Loop) Give(s *Socket, fd int) {
	s.loop, s.fd = l, fd
	l.sockets.Add(1)
}
