package kernel

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// Processors tells how busy the machine's processors are. The zero value is ready; one
// goroutine.
type Processors struct {
	at   time.Time // of the last look
	idle int64     // ticks of all processors, from the system's start to that
}

// tick is what the system counts the processors' time in.
const tick = 10 * time.Millisecond

// Idle returns how many processors had nothing to do since it was called last, on average.
// The first time, and where the system does not tell, that is one.
func (p *Processors) Idle() float64 {
	now, last := time.Now(), p.at
	idle, told := idleTicks()
	ticks := idle - p.idle
	p.at, p.idle = now, idle
	if last.IsZero() || !told {
		return 1
	}
	return float64(ticks) * float64(tick) / float64(now.Sub(last))
}

// idleTicks reads what the first line of /proc/stat tells of all processors: "cpu", and
// the time of user, nice, system, idle.
func idleTicks() (n int64, told bool) {
	f, err := os.Open("/proc/stat")
	if err != nil {
		return 0, false
	}
	defer f.Close()
	var text [256]byte
	read, _ := f.Read(text[:])
	fields := bytes.Fields(text[:read])
	if len(fields) < 5 {
		return 0, false
	}
	n, err = strconv.ParseInt(string(fields[4]), 10, 64)
	return n, err == nil
}
