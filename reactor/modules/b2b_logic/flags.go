package b2b_logic

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// flags are those of b2b_init_request() and b2b_bridge().
type flags struct {
	setup, lasts                  time.Duration // 0: as the module has it
	transparent, keepTo, rollback bool
}

// parseFlags reads flags with commas between them, of those that are allowed.
func parseFlags(text string, allowed ...string) (f flags, err error) {
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		name, value, has := strings.Cut(word, "=")
		if !slices.Contains(allowed, name) {
			return f, fmt.Errorf("unknown flag %q: %s are there", name, strings.Join(allowed, ", "))
		}
		timed := name == "setup-timeout" || name == "max_duration"
		n, bad := strconv.Atoi(value)
		if timed != has || timed && (bad != nil || n < 0 || n > 7*86400) {
			return f, fmt.Errorf("the flag is setup-timeout=NN or max_duration=NN, in seconds up to a week, or a word alone: found %q", word)
		}
		switch name {
		case "setup-timeout":
			f.setup = time.Duration(n) * time.Second
		case "max_duration":
			f.lasts = time.Duration(n) * time.Second
		case "transparent-auth":
			f.transparent = true
		case "preserve-to":
			f.keepTo = true
		case "rollback-failed":
			f.rollback = true
		}
	}
	return f, nil
}
