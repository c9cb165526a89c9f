package scheduler

import "golang.org/x/sys/unix"

// meter tells what work costs a loop: the CPU time of its thread, or, when the
// work waited for something, the time that went by. What the kernel took away
// for somebody else is no fault of the work's. Its calls belong on one
// goroutine; should that move to another thread meanwhile, the clock counts.
type meter struct {
	usage unix.Rusage
	clock unix.Timespec
	wall  int64 // the clock, ns
	cpu   int64 // of this thread, ns
	waits int64 // how often the thread gave the CPU up
}

// heldUp is how much longer than its CPU time work takes, in ns, before it is
// asked why.
const heldUp = 50_000

// lap gives what was spent since the last one, in ns.
func (m *meter) lap(now int64) int64 {
	wall, cost := now-m.wall, -m.cpu
	m.wall = now
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &m.clock) == nil {
		m.cpu = m.clock.Nano()
	}
	cost += m.cpu
	if cost <= 0 || cost > wall || wall-cost > heldUp && m.waited() {
		return wall
	}
	return cost
}

// waited tells whether the thread gave the CPU up since it was last asked.
func (m *meter) waited() bool {
	was := m.waits
	if unix.Getrusage(unix.RUSAGE_THREAD, &m.usage) == nil {
		m.waits = m.usage.Nvcsw
	}
	return m.waits != was
}
