package gflags_test

import (
	"strconv"
	"strings"
	"testing"

	"sipreactor/reactor/modules/gflags"
	"sipreactor/reactor/modules/moduletest"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, gflags.New) }

// Flags are the program's: a message sees what another one and management have set.
func TestFlags(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("gflags")+`modparam("gflags", "initial", 15)
route { if (is_gflag(4)) xlog("four"); if (is_gflag("3")) xlog("three"); set_gflag(4); reset_gflag(3); is_gflag(32); xlog("$rc"); }
`, gflags.New)
	for i, want := range []string{"three|-1", "four|-1"} {
		b.Receive(moduletest.Invite)
		got := b.Log[:0]
		for _, l := range b.Log {
			if !strings.Contains(l, "from 0 to 31") {
				got = append(got, l)
			}
		}
		if strings.Join(got, "|") != want {
			t.Errorf("message %d: %q, want %s", i, got, want)
		}
	}
	for command, want := range map[string]string{"is_gflag 16": "TRUE", "is_gflag 24": "FALSE", "get_gflags": "23"} {
		name, arg, _ := strings.Cut(command, " ")
		args := []any{}
		if arg != "" {
			n, _ := strconv.Atoi(arg)
			args = append(args, n)
		}
		if got := b.Command(t, name, args); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", command, got, want)
		}
	}
}
