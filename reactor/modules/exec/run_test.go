package exec

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/waittest"
)

// TestRun gives a command its input and environment, and takes its output.
func TestRun(t *testing.T) {
	r := newRunner()
	out, errs, err := r.run(&command{line: `read x; echo "$x $OSIPS_EXEC_0"; echo no >&2; exit 3`, stdin: []byte("in\n"), env: []string{"OSIPS_EXEC_0=b"}})
	if string(out) != "in b\n" || string(errs) != "no\n" || err == nil {
		t.Errorf("%q %q %v", out, errs, err)
	}
	if out, _, err := r.run(&command{line: "yes | head -c 1000000"}); len(out) != maxOutput || err != nil {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}

// TestTimeToKill ends a command with what it has started.
func TestTimeToKill(t *testing.T) {
	r := newRunner()
	r.longest, r.grace = 300*time.Millisecond, 50*time.Millisecond // the first one, for the shell to begin
	mark := "SIPREACTOR_EXEC_MARK=" + t.TempDir()
	_, _, err := r.run(&command{line: "trap '' TERM; sleep 600 & wait; sleep 600", env: []string{mark}})
	if err == nil || !strings.Contains(err.Error(), "was ended") {
		t.Error(err)
	}
	waittest.For(t, "all of it has ended", func() bool {
		list, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, path := range list {
			if text, _ := os.ReadFile(path); strings.Contains(string(text), mark) {
				return false
			}
		}
		return true
	})
}

// TestBound of commands under way.
func TestBound(t *testing.T) {
	r := newRunner()
	r.slots = make(chan struct{}, 1)
	r.slots <- struct{}{}
	if _, _, err := r.run(&command{line: "true"}); !errors.Is(err, errBusy) {
		t.Error(err)
	}
}

// TestEnvName spells headers as the documentation does.
func TestEnvName(t *testing.T) {
	if got := envName("Call-ID"); got != "SIP_HF_CALL_ID" {
		t.Error(got)
	}
	if got := envName("x='$(id)"); got != "SIP_HF_X____ID_" {
		t.Error(got)
	}
}
