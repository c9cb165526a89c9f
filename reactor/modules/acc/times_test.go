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

// TestMissedEvent: the event of what has failed tells when it began, and how many seconds it took.
func TestMissedEvent(t *testing.T) {
	now := time.Unix(1700000000, 0)
	for since, want := range map[time.Time]int64{now.Add(-3500 * time.Millisecond): 3, {}: 0, now.Add(time.Second): 0} {
		list := (&account{since: since}).sinceParams(now)
		if since.IsZero() {
			since = now
		}
		if len(list) != 2 || list[0] != script.NumberParam("created", since.Unix()) || list[1] != script.NumberParam("setuptime", want) {
			t.Errorf("%v: %v", since, list)
		}
	}
	for _, e := range New(nil).Events {
		has := slices.Contains(e.Params, "created") && slices.Contains(e.Params, "setuptime")
		if has != (e.Name != eventAnswered) || slices.Contains(e.Params, "duration") != (e.Name == eventCDR) {
			t.Errorf("%s has %v", e.Name, e.Params)
		}
	}
}
