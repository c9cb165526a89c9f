package reactor

import "golang.org/x/sys/unix"

// meter tells what work costs a loop: the CPU time of its thread, or, when the
// work waited for something, the time that went by. What the kernel took away
// for somebody else is no fault of the work's. A lap costs one system call.
type meter struct {
	usage unix.Rusage
	now   int64 // the engine's clock, ns
	cpu   int64 // of this thread, ns
	waits int64 // how often the thread gave the CPU up
}

// lap gives what was spent since the last one, in ns. Its two calls belong on
// one goroutine; if that moved to another thread meanwhile, the clock counts.
func (m *meter) lap(now int64) int64 {
	was, cpu, waits := m.now, m.cpu, m.waits
	m.now = now
	if unix.Getrusage(unix.RUSAGE_THREAD, &m.usage) != nil {
		return now - was
	}
	m.cpu = m.usage.Utime.Nano() + m.usage.Stime.Nano()
	m.waits = m.usage.Nvcsw
	if m.waits != waits || m.cpu < cpu {
		return now - was
	}
	return min(m.cpu-cpu, now-was)
}
