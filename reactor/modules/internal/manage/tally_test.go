package manage

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// TestAnswer: OK is the answer where nothing was left out; where something was, it says
// how much and why, within a bound.
func TestAnswer(t *testing.T) {
	all := &Tally{Loaded: 3}
	if got := Answer(all, &Tally{}); got != "OK" {
		t.Errorf("%v", got)
	}
	some := &Tally{Loaded: 1}
	if !some.LeaveOut(errors.New("x.csv:7, column setid: \"a\" is no number")) {
		t.Error("the first one is not told")
	}
	b, err := json.Marshal(Answer(all, some))
	if err != nil || string(b) != `{"loaded":4,"left_out":1,"rows":["x.csv:7, column setid: \"a\" is no number"]}` {
		t.Errorf("%s, %v", b, err)
	}
	told := 0
	for range 1000 {
		if some.LeaveOut(errors.New("bad")) {
			told++
		}
	}
	if b, _ = json.Marshal(Answer(some)); told != maxWhy-1 || some.Out() != 1001 || strings.Count(string(b), "bad") != told {
		t.Errorf("%d: %s", told, b)
	}
}
