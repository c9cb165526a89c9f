package compare

import (
	"errors"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// policies counts the threads of this process by how they are scheduled.
func policies(t *testing.T) map[uint32]int {
	t.Helper()
	dir, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	count := map[uint32]int{}
	for _, d := range dir {
		tid, err := strconv.Atoi(d.Name())
		if err != nil {
			t.Fatal(err)
		}
		if a, err := unix.SchedGetAttr(tid, 0); err == nil {
			count[a.Policy]++
		}
	}
	return count
}

// The probe's client comes first while it measures, and only then.
func TestUrgent(t *testing.T) {
	undo, err := urgent()
	if errors.Is(err, unix.EPERM) {
		t.Skip("real-time priorities need CAP_SYS_NICE: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	during := policies(t)
	undo()
	if after := policies(t); during[unix.SCHED_FIFO] == 0 || during[unix.SCHED_NORMAL] > 0 || after[unix.SCHED_FIFO] > 0 {
		t.Errorf("during %v, after %v", during, after)
	}
}
