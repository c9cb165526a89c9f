package load

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Pace calls start at a fixed rate (a second) for a duration, with the instant at which each start was due. When
// start or the machine is late, the starts that were missed follow at once with the instants at which they should
// have been: nothing is omitted. The error tells that there is no timer to be had.
func Pace(ctx context.Context, rate float64, duration time.Duration, start func(due time.Time)) error {
	alarm, err := newAlarm()
	if err != nil {
		return err
	}
	defer alarm.f.Close()
	defer context.AfterFunc(ctx, func() { _ = alarm.f.SetReadDeadline(time.Unix(1, 0)) })()

	began := time.Now()
	total := int64(rate * duration.Seconds())
	for i := int64(0); i < total && ctx.Err() == nil; i++ {
		due := began.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		if wait := time.Until(due); wait > 0 && alarm.sleep(wait) != nil {
			break // ctx is over
		}
		start(due)
	}
	return nil
}

// alarm is a timer of the kernel's. Go's own are late by up to a millisecond when the process is idle, since epoll
// counts in those, and that would be taken for latency; a thread that sleeps in the kernel holds others up.
type alarm struct{ f *os.File }

func newAlarm() (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	return &alarm{os.NewFile(uintptr(fd), "timer")}, nil
}

// sleep waits on Go's poller, as for a connection. It fails once the file's deadline is set.
func (a *alarm) sleep(d time.Duration) error {
	raw, err := a.f.SyscallConn()
	if err != nil {
		return err
	}
	value := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	var setErr error
	if err := raw.Control(func(fd uintptr) { setErr = unix.TimerfdSettime(int(fd), 0, &value, nil) }); err != nil {
		return err
	}
	if setErr != nil {
		return os.NewSyscallError("timerfd_settime", setErr)
	}
	var expirations [8]byte
	_, err = a.f.Read(expirations[:])
	return err
}
