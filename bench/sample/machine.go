package sample

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Machine is what a figure depends on, besides the programs.
type Machine struct {
	Host   string `json:"host"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory_bytes"`
	Kernel string `json:"kernel"`
	System string `json:"system"`
	Go     string `json:"go"`
}

// ThisMachine describes the machine. What can't be read stays empty.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version()}
	m.Host, _ = os.Hostname()
	m.CPU = field("/proc/cpuinfo", "model name", ":")
	m.System = strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`)
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(kernel))
	}
	if kb, err := strconv.ParseInt(strings.TrimSuffix(field("/proc/meminfo", "MemTotal", ":"), " kB"), 10, 64); err == nil {
		m.Memory = kb << 10
	}
	return m
}

// String is one line for people.
func (m Machine) String() string {
	return fmt.Sprintf("%s, %d cores, %.0f GiB, %s, Linux %s, %s", m.CPU, m.Cores, float64(m.Memory)/(1<<30), m.System, m.Kernel, m.Go)
}

// field finds the first line that begins with a key.
func field(file, key, separator string) string {
	raw, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(raw)) {
		name, value, ok := strings.Cut(line, separator)
		if ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Busy is how long all cores together have been busy since the start of the machine, to a hundredth of a second.
func Busy() (time.Duration, error) {
	line := field("/proc/stat", "cpu", " ")
	var ticks int64
	for i, f := range strings.Fields(line) {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("sample: /proc/stat: %q", line)
		}
		// user, nice, system, idle, iowait, irq, softirq, steal; the rest is counted in these already
		if i != 3 && i != 4 && i < 8 {
			ticks += n
		}
	}
	if line == "" {
		return 0, fmt.Errorf("sample: /proc/stat tells nothing of the CPU")
	}
	return time.Duration(ticks) * (time.Second / 100), nil
}
