package connection

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/reason"
)

// What our own machine lacks is not the destination's fault.
func TestDialFailedBlame(t *testing.T) {
	for cause, want := range map[error]reason.Blame{
		os.NewSyscallError("socket", unix.EMFILE):      reason.BlameUs,
		os.NewSyscallError("bind", unix.EADDRNOTAVAIL): reason.BlameUs,
		unix.ENFILE:       reason.BlameUs,
		unix.ENOBUFS:      reason.BlameUs,
		unix.ECONNREFUSED: reason.BlamePeer,
		unix.EHOSTUNREACH: reason.BlamePeer,
		unix.ECONNRESET:   reason.BlamePeer,
	} {
		if e := DialFailed(cause); e.Blame != want || e.Reason != reason.ConnectFailed || !strings.Contains(e.Error(), cause.Error()) {
			t.Errorf("%v: %v, blame %v; want %v", cause, e, e.Blame, want)
		}
	}
}
