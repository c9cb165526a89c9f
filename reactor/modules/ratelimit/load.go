package ratelimit

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync"

	"sipreactor/reactor"
	"sipreactor/reactor/mi"
)

// pid are the parameters of the controller of FEEDBACK.
type pid struct {
	Ki float64 `json:"ki"`
	Kp float64 `json:"kp"`
	Kd float64 `json:"kd"`
}

// load is what NETWORK and FEEDBACK go by, looked at once an interval.
type load struct {
	mu      sync.Mutex
	queued  int // bytes in our sockets
	busy    float64
	drop    float64 // share to drop
	control pid
	sum     float64 // of the errors, for the integral part
	last    float64 // error of the last look
	was     [2]uint64
	setting int // the limit of FEEDBACK, which is one for all pipes

	stat   func() ([]byte, error) // /proc/stat
	unread func() int             // bytes that wait at our sockets; nil: nothing is asked
}

func newLoad() *load {
	return &load{stat: func() ([]byte, error) { return os.ReadFile("/proc/stat") }}
}

// watch has it look at an engine's sockets: of datagrams, and of its connections.
func (l *load) watch(e mi.Engine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unread = func() (n int) {
		for _, p := range []reactor.Proto{reactor.UDP, reactor.TCP, reactor.TLS, reactor.WS, reactor.WSS} {
			n += int(mi.Waiting(e, p))
		}
		return n
	}
}

func (l *load) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queued
}

// dropRate gives the share to drop so that the load keeps to limit per cent.
func (l *load) dropRate(limit int) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.setting = limit
	return l.drop
}

// look reads what the system says.
func (l *load) look() {
	stat, statErr := l.stat()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unread != nil {
		l.queued = l.unread()
	}
	if statErr != nil {
		return
	}
	idle, all := processors(stat)
	if l.was[1] != 0 && all > l.was[1] {
		l.busy = 1 - float64(idle-l.was[0])/float64(all-l.was[1])
		l.steer()
	}
	l.was = [2]uint64{idle, all}
}

// steer is a PID controller: what it holds is the load, what it turns is the share that
// is dropped.
func (l *load) steer() {
	if l.setting <= 0 {
		return
	}
	off := l.busy - float64(l.setting)/100
	l.sum = min(max(l.sum+off, -1), 1)
	l.drop = min(max(l.control.Kp*off+l.control.Ki*l.sum+l.control.Kd*(off-l.last), 0), 1)
	l.last = off
}

// processors gives the idle and the whole time of /proc/stat.
func processors(b []byte) (idle, all uint64) {
	line, _, _ := bytes.Cut(b, []byte{'\n'})
	fields := strings.Fields(string(line))
	if len(fields) < 5 || fields[0] != "cpu" {
		return 0, 0
	}
	for i, f := range fields[1:] {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, 0
		}
		if all += n; i == 3 || i == 4 { // idle and waiting for a disk
			idle += n
		}
	}
	return idle, all
}
