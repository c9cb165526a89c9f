package sample

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// child runs a program that burns CPU when told to, in a group of its own.
func child(t *testing.T, args ...string) Group {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), "SAMPLE_CHILD="+args[0])
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	return Group(cmd.Process.Pid)
}

// TestChild is no test but what child runs: "burn" computes until it is killed, "idle" waits for that.
func TestChild(*testing.T) {
	switch os.Getenv("SAMPLE_CHILD") {
	case "burn":
		for n := uint(0); ; n++ {
			sink = n
			if n%(1<<20) == 0 {
				_ = os.Getppid() // a system call now and then
			}
		}
	case "idle":
		_, _ = os.Stdin.Read(make([]byte, 1))
	}
}

var sink uint

// until polls a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("not in time: " + what)
}

func TestUsageOfAKnownProcess(t *testing.T) {
	g := child(t, "burn")
	before, err := g.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var u Usage
	until(t, "100 ms of CPU", func() bool {
		now, err := g.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		u = now.Since(before)
		return u.CPU >= 100*time.Millisecond
	})
	// One thread computes; the runtime's others add little, even on a machine that has other work.
	if u.CPU > 2*u.Elapsed {
		t.Errorf("%v of CPU in %v", u.CPU, u.Elapsed)
	}
	var sum time.Duration
	for _, d := range u.Threads {
		sum += d
	}
	if sum != u.CPU || len(u.Threads) == 0 {
		t.Errorf("threads %v do not sum up to %v", u.Threads, u.CPU)
	}
}

func TestIdleProcessUsesLittle(t *testing.T) {
	idle, burning := child(t, "idle"), child(t, "burn")
	snapshot := func(g Group) Snapshot {
		s, err := g.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	until(t, "the idle one's start is over", func() bool {
		a := snapshot(idle)
		busy := snapshot(burning)
		until(t, "50 ms", func() bool { return snapshot(burning).Since(busy).CPU > 50*time.Millisecond })
		return snapshot(idle).Since(a).CPU < time.Millisecond
	})
}

func TestPss(t *testing.T) {
	g := child(t, "idle")
	until(t, "memory of a Go program", func() bool {
		pss, err := g.Pss()
		return err == nil && pss > 256<<10 && pss < 1<<30
	})
}

func TestGone(t *testing.T) {
	const nobody = Group(1 << 30) // beyond the largest process id there can be
	if _, err := nobody.Snapshot(); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
	if _, err := nobody.Pss(); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
	if _, err := nobody.Syscalls(t.Context(), time.Millisecond, nil); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
}

func TestThreadsThatBeganAndEnded(t *testing.T) {
	a := Snapshot{Threads: map[int]Thread{1: {1, "x", 5}, 2: {1, "old", 7}, 4: {1, "z", 9}}}
	b := Snapshot{Threads: map[int]Thread{1: {1, "x", 8}, 3: {1, "new", 4}, 4: {2, "z", 2}}}
	if u := b.Since(a); u.CPU != 3+4+2 || u.Threads["new/3"] != 4 || u.Threads["x/1"] != 3 {
		t.Errorf("%+v", u)
	}
}

func TestMachine(t *testing.T) {
	m := ThisMachine()
	if m.Cores < 1 || m.Kernel == "" || m.Memory < 1<<20 {
		t.Errorf("%+v", m)
	}
	before, err := Busy()
	if err != nil || before <= 0 {
		t.Fatal(before, err)
	}
	child(t, "burn")
	until(t, "the machine gets busier", func() bool {
		now, err := Busy()
		return err == nil && now >= before+50*time.Millisecond
	})
}
