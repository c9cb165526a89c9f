package kernel

import (
	"time"

	"golang.org/x/sys/unix"
)

// Keepalive is TCP's own keep-alive: a dead peer's end when nothing is sent. Zero
// values are the system's defaults; the durations have whole seconds.
type Keepalive struct {
	Enabled        bool
	Idle, Interval time.Duration
	Count          int
}

// Set gives a socket its keep-alive; options the kernel refuses stay as they are.
func (k *Keepalive) Set(fd int) {
	if !k.Enabled {
		return
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	for _, o := range [...]struct{ opt, value int }{
		{unix.TCP_KEEPIDLE, int(k.Idle / time.Second)},
		{unix.TCP_KEEPINTVL, int(k.Interval / time.Second)},
		{unix.TCP_KEEPCNT, k.Count},
	} {
		if o.value > 0 {
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, o.opt, o.value)
		}
	}
}

// keepaliveOptions are a socket's options for keep-alive.
var keepaliveOptions = [...]struct{ level, opt int }{
	{unix.SOL_SOCKET, unix.SO_KEEPALIVE},
	{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE},
	{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
	{unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
}

// SavedKeepalive is a socket's keep-alive as it was: SO_KEEPALIVE and TCP's idle
// time, interval and count in seconds; -1 where the kernel would not tell.
type SavedKeepalive [len(keepaliveOptions)]int

// KeepaliveOf returns a socket's keep-alive, the system's defaults included.
func KeepaliveOf(fd int) (s SavedKeepalive) {
	for i, o := range keepaliveOptions {
		value, err := unix.GetsockoptInt(fd, o.level, o.opt)
		if err != nil {
			value = -1
		}
		s[i] = value
	}
	return s
}

// Restore gives a socket the keep-alive back.
func (s SavedKeepalive) Restore(fd int) {
	for i, o := range keepaliveOptions {
		if s[i] >= 0 {
			_ = unix.SetsockoptInt(fd, o.level, o.opt, s[i])
		}
	}
}
