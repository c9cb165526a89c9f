package poller

import (
	"context"
	"net"
	"os"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// enroll has the loop watch nc, which is the loop's whatever becomes of it; OnOpen then gets
// ctx with it. done is called behind that, once, on a goroutine of its own: gnet reports
// success even where the loop could not watch it, so what OnOpen has done tells. Stop waits
// for it. Any goroutine.
func (l *Loop) enroll(ctx any, nc net.Conn, done func(error)) error {
	p := l.p
	p.handing.Add(1)
	if p.over.Load() { // it may not see us
		nc.Close()
		p.handing.Add(-1)
		return ErrStopped
	}
	l.tasks.Add(1)
	opened, err := l.el.Enroll(gnet.NewContext(context.Background(), ctx), nc)
	if err != nil {
		nc.Close()
		l.tasks.Add(-1)
		p.handing.Add(-1)
		return err
	}
	go func() {
		defer p.handing.Add(-1)
		res := <-opened
		l.tasks.Add(-1)
		done(res.Err)
	}()
	return nil
}

// enrolled is enroll, and waits: it is for no loop's goroutine.
func (l *Loop) enrolled(ctx any, nc net.Conn) error {
	opened := make(chan error, 1)
	if err := l.enroll(ctx, nc, func(err error) { opened <- err }); err != nil {
		return err
	}
	return <-opened
}

// A loop's epoll set can watch a descriptor under the number of a stand-in, which gnet knows
// (package standin) and which is not watched itself then.

// unwatch takes a stand-in out of the set that gnet has put it into.
func (l *Loop) unwatch(gc gnet.Conn) error {
	if l.failed != nil {
		return l.failed
	}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(l.set, unix.EPOLL_CTL_DEL, gc.Fd(), nil))
}

// watch has the set watch a descriptor under a stand-in's number. Any goroutine.
func (l *Loop) watch(fd, number int, events uint32) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(l.set, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Fd: int32(number), Events: events}))
}
