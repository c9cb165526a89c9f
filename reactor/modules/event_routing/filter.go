package event_routing

import (
	"path"
	"strings"

	"sipreactor/reactor/script"
)

// filter is key=pattern: the event's parameter of that name has to match. The pattern is
// one of the shell's.
type filter struct{ key, pattern string }

// parseFilter reads a filter; false: it is none.
func parseFilter(s string) (f filter, ok bool) {
	key, pattern, found := strings.Cut(s, "=")
	key = strings.TrimSpace(key)
	// A slash is nothing special in a value, unlike in a path.
	f = filter{key, strings.ReplaceAll(pattern, "/", "\x00")}
	_, err := path.Match(f.pattern, "")
	return f, found && key != "" && err == nil
}

// matches reports whether an event with these parameters passes all filters.
func matches(filters []filter, params []script.Param) bool {
	for _, f := range filters {
		if !f.matches(params) {
			return false
		}
	}
	return true
}

func (f *filter) matches(params []script.Param) bool {
	for i := range params {
		if params[i].Name() == f.key {
			ok, _ := path.Match(f.pattern, strings.ReplaceAll(params[i].Text(), "/", "\x00"))
			return ok
		}
	}
	return false
}
