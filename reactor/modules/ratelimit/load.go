package ratelimit

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync"
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
	queued  int // bytes in the sockets
	busy    float64
	drop    float64 // share to drop
	control pid
	sum     float64 // of the errors, for the integral part
	last    float64 // error of the last look
	was     [2]uint64
	setting int // the limit of FEEDBACK, which is one for all pipes

	stat func() ([]byte, error) // /proc/stat
	net  func() ([]byte, error) // /proc/net/udp and tcp
}

func newLoad() *load {
	return &load{
		control: pid{Ki: 0, Kp: 0, Kd: 0},
		stat:    func() ([]byte, error) { return os.ReadFile("/proc/stat") },
		net: func() ([]byte, error) {
			var all []byte
			for _, name := range []string{"/proc/net/udp", "/proc/net/udp6", "/proc/net/tcp", "/proc/net/tcp6"} {
				b, err := os.ReadFile(name)
				if err != nil && !os.IsNotExist(err) {
					return nil, err
				}
				all = append(all, b...)
			}
			return all, nil
		},
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
	net, netErr := l.net()
	l.mu.Lock()
	defer l.mu.Unlock()
	if netErr == nil {
		l.queued = receiveQueues(net)
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

// receiveQueues adds up the bytes that wait to be read, of tables of /proc/net.
func receiveQueues(b []byte) (n int) {
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		_, rx, ok := strings.Cut(fields[4], ":")
		if q, err := strconv.ParseUint(rx, 16, 32); ok && err == nil {
			n += int(q)
		}
	}
	return n
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
