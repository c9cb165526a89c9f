package acc

import (
	"slices"
	"testing"
	"time"

	"sipreactor/reactor/script"
)

// TestTimes: a second that has begun counts; the log, the event and the table say the same.
func TestTimes(t *testing.T) {
	at := time.Unix(1700000000, 0)
	r := &record{method: []byte("INVITE"), call: &times{at, at.Add(1900 * time.Millisecond), at.Add(4001 * time.Millisecond)}}
	if got, want := string(r.appendLine(nil, ended)), "ACC: call ended: created=1700000000;call_start_time=1700000001;duration=3;ms_duration=2101;setuptime=1;method=INVITE;from_tag=;to_tag=;call_id=;code=;reason="; got != want {
		t.Errorf("%s\n%s", got, want)
	}
	if !slices.Contains(r.params(nil), script.NumberParam("duration", 3)) || !slices.Contains(r.params(nil), script.NumberParam("created", at.Unix())) {
		t.Errorf("%v", r.params(nil))
	}
	for _, c := range []struct{ ms, seconds int64 }{{0, 0}, {1, 1}, {1000, 1}, {1001, 2}, {-5, 0}} {
		x := times{at, at, at.Add(time.Duration(c.ms) * time.Millisecond)}
		if _, seconds := x.duration(); seconds != c.seconds {
			t.Errorf("%d ms are %d s", c.ms, seconds)
		}
	}
}
