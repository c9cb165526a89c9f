package transaction

import (
	"testing"
	"time"
)

// mixed is a rig whose requests go by another transport than was thought.
type mixed struct {
	*rig
	reliable bool
}

func (m mixed) SendRequest(t *Transaction, b *Branch) error {
	b.Went(m.reliable)
	return m.rig.SendRequest(t, b)
}

// Whether a request is sent again depends on what it went by, not on what was
// thought before.
func TestTransportOfTheTargetThatTookIt(t *testing.T) {
	for _, invite := range []bool{true, false} {
		for _, reliable := range []bool{true, false} {
			r := newRig(t, invite, false)
			r.tx = New(mixed{r, reliable}, r.wheel, &r.timing, 0, invite, false)
			b := r.branch(!reliable)
			r.pass(2 * time.Second)
			if want := []string{"0s request 0"}; reliable {
				r.want(want...)
			} else {
				r.want(append(want, "500ms request 0", "1.5s request 0")...)
			}
			if b.request.reliable != reliable {
				t.Error("the machine does not know")
			}
		}
	}
}
