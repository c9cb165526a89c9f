package compare

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// urgent gives this program's threads the first claim on the cores, until undo: a client that shares full cores with the
// system that it asks would otherwise measure how long it waits for one itself. Threads that are made meanwhile have it, too.
// It takes a privilege (CAP_SYS_NICE).
func urgent() (undo func(), err error) {
	const lowest = 1 // of the real-time priorities: above all that has none
	undo = func() { _ = schedule(unix.SchedAttr{Policy: unix.SCHED_NORMAL}) }
	if err := schedule(unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: lowest}); err != nil {
		undo() // some may have it
		return nil, fmt.Errorf("compare: the probe's client waits for its core like others: %w", err)
	}
	return undo, nil
}

// schedule sets how all threads of this process are scheduled.
func schedule(a unix.SchedAttr) error {
	a.Size = unix.SizeofSchedAttr
	for range 2 { // a thread may be made while the first round goes on
		dir, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, d := range dir {
			tid, err := strconv.Atoi(d.Name())
			if err != nil {
				return err
			}
			if err := unix.SchedSetAttr(tid, &a, 0); err != nil && err != unix.ESRCH { // a thread may end
				return os.NewSyscallError("sched_setattr", err)
			}
		}
	}
	return nil
}
