package acc

import (
	"slices"
	"testing"
	"time"
)

// TestLine is how a record stands in the log.
func TestLine(t *testing.T) {
	r := &record{method: []byte("INVITE"), fromTag: []byte("a1"), toTag: []byte("b1"), callID: []byte("c;x=1\n"), code: []byte("200"), reason: []byte("OK"), time: time.Unix(1700000000, 5),
		extra: []field{{"src", []byte("alice")}, {"none", nil}}, legs: [][]field{{{"leg", []byte("1")}}, {{"leg", []byte("2")}}}}
	const want = "ACC: transaction answered: timestamp=1700000000;method=INVITE;from_tag=a1;to_tag=b1;call_id=c,x=1 ;code=200;reason=OK;src=alice;none=;leg=1;leg=2"
	if got := string(r.appendLine(nil, answered)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if p := r.params(r.legs[1]); len(p) != 10 {
		t.Errorf("%d parameters", len(p))
	}
}

// TestFields are declared as in the documentation's examples.
func TestFields(t *testing.T) {
	var x tags
	for _, s := range []string{"log: a->My_a_Field; b", "db: a->col_a; col_b", "aaa:a->AAA_SRC;b->AAA_DST", "a->2345;b->2346"} {
		if err := x.add(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	if !slices.Equal(x.names, []string{"a", "b", "col_b"}) || x.find("none") != -1 {
		t.Errorf("%q", x.names)
	}
	got := x.values(toLog, [][]byte{[]byte("1")})
	if len(got) != 2 || got[0].name != "My_a_Field" || string(got[0].value) != "1" || got[1].name != "b" || got[1].value != nil {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{"xyz: a", "log: ->b", "log: a->", "log: a b"} {
		if err := x.add(bad); err == nil {
			t.Errorf("%q", bad)
		}
	}
}

// TestMark adds and takes back.
func TestMark(t *testing.T) {
	m, err := parseMark("db|log", "cdr|missed")
	if err != nil || m[toLog] != wanted|cdr|onMissed || m[toDB] != m[toLog] || m[toEvents] != 0 {
		t.Errorf("%v %v", m, err)
	}
	more, _ := parseMark("evi", "failed")
	m.join(more)
	if !m.has(onFailed) || m[toLog]&onFailed != 0 {
		t.Error(m)
	}
	drop, _ := parseMark("log", "missed|cdr")
	if m.leave(drop, true); m[toLog] != wanted || m[toDB]&cdr == 0 {
		t.Error(m)
	}
	drop, _ = parseMark("db", "")
	if m.leave(drop, false); m[toDB] != 0 || m[toLog] != wanted {
		t.Error(m)
	}
	for _, bad := range [][2]string{{"", ""}, {"sql", ""}, {"log", "always"}} {
		if _, err := parseMark(bad[0], bad[1]); err == nil {
			t.Error(bad)
		}
	}
}

// TestComment is parted into code and reason.
func TestComment(t *testing.T) {
	for text, want := range map[string][2]string{"404 Not Found": {"404", "Not Found"}, "480": {"480", ""}, "Some comment": {"", "Some comment"}, "4044 x": {"", "4044 x"}, "": {"", ""}} {
		if code, reason := parseComment([]byte(text)); string(code) != want[0] || string(reason) != want[1] {
			t.Errorf("%q: %q %q", text, code, reason)
		}
	}
}
