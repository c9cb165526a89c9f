package sample

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Pss is the proportional set size of the group in bytes: its own pages, and its share of those that several
// processes map.
func (g Group) Pss() (int64, error) {
	pids, err := g.PIDs()
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, pid := range pids {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue // it ended meanwhile
		}
		for line := range strings.Lines(string(raw)) {
			rest, ok := strings.CutPrefix(line, "Pss:")
			if !ok {
				continue
			}
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("sample: Pss of process %d: %q", pid, line)
			}
			sum += kb << 10
		}
	}
	if sum == 0 {
		return 0, fmt.Errorf("%w, or its memory may not be read: %d", ErrGone, int(g))
	}
	return sum, nil
}
