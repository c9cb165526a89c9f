package sample

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ErrGone tells that a group has no process any more.
var ErrGone = errors.New("sample: no such process group")

// Group is a process group by its id, which is the id of the process that leads it.
type Group int

// PIDs lists the processes of the group that live, ErrGone when there are none.
func (g Group) PIDs() ([]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, file := range stats {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // it ended meanwhile
		}
		// The name in parentheses may hold anything; behind it: state, parent, group.
		fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
		if len(fields) < 3 || fields[0] == "Z" || fields[2] != strconv.Itoa(int(g)) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	if len(pids) == 0 {
		return nil, fmt.Errorf("%w: %d", ErrGone, int(g))
	}
	return pids, nil
}

// Thread is one thread's CPU time so far, as the scheduler accounts it (ns, not ticks).
type Thread struct {
	PID  int
	Name string
	CPU  time.Duration
}

// Snapshot is the state of a group at an instant.
type Snapshot struct {
	At      time.Time
	Threads map[int]Thread // by thread id
}

// Snapshot reads the CPU time of every thread of the group.
func (g Group) Snapshot() (Snapshot, error) {
	pids, err := g.PIDs()
	if err != nil {
		return Snapshot{}, err
	}
	s := Snapshot{At: time.Now(), Threads: map[int]Thread{}}
	for _, pid := range pids {
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			continue // it ended meanwhile
		}
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			if err != nil {
				continue
			}
			dir := fmt.Sprintf("/proc/%d/task/%d/", pid, tid)
			sched, err := os.ReadFile(dir + "schedstat")
			if err != nil {
				continue
			}
			first, _, _ := strings.Cut(string(sched), " ")
			ns, err := strconv.ParseInt(first, 10, 64)
			if err != nil {
				return Snapshot{}, fmt.Errorf("sample: %sschedstat: %q", dir, sched)
			}
			name, _ := os.ReadFile(dir + "comm")
			s.Threads[tid] = Thread{PID: pid, Name: strings.TrimSpace(string(name)), CPU: time.Duration(ns)}
		}
	}
	return s, nil
}

// Usage is the CPU time between two snapshots. Threads that began between them count whole; what ended between
// them did not leave its account and does not count.
type Usage struct {
	Elapsed time.Duration
	CPU     time.Duration
	Threads map[string]time.Duration // by name and process, those that ran
}

// Since tells what the group has used since an earlier snapshot.
func (s Snapshot) Since(earlier Snapshot) Usage {
	u := Usage{Elapsed: s.At.Sub(earlier.At), Threads: map[string]time.Duration{}}
	for tid, t := range s.Threads {
		d := t.CPU
		if before, ok := earlier.Threads[tid]; ok && before.PID == t.PID {
			d -= before.CPU
		}
		if d <= 0 {
			continue
		}
		u.CPU += d
		u.Threads[fmt.Sprintf("%s/%d", t.Name, tid)] += d
	}
	return u
}
