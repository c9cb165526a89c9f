package reactor

import (
	"time"

	"golang.org/x/sys/unix"
)

// keepAlive sets TCP keep-alive; options the kernel refuses stay as they are.
func keepAlive(fd int, k *Keepalive) {
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

// keepAliveOptions are a socket's options for keep-alive.
var keepAliveOptions = [...]struct{ level, opt int }{
	{unix.SOL_SOCKET, unix.SO_KEEPALIVE},
	{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE},
	{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
	{unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
}

// savedKeepAlive is a socket's keep-alive as it was; -1 where the kernel would
// not tell.
type savedKeepAlive [len(keepAliveOptions)]int

// keepAliveOf saves a socket's keep-alive, the system's defaults included.
func keepAliveOf(fd int) (s savedKeepAlive) {
	for i, o := range keepAliveOptions {
		value, err := unix.GetsockoptInt(fd, o.level, o.opt)
		if err != nil {
			value = -1
		}
		s[i] = value
	}
	return s
}

// restore gives the socket its keep-alive back.
func (s savedKeepAlive) restore(fd int) {
	for i, o := range keepAliveOptions {
		if s[i] >= 0 {
			_ = unix.SetsockoptInt(fd, o.level, o.opt, s[i])
		}
	}
}
