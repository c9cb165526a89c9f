package rpc

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"
)

func TestError(t *testing.T) {
	var err error = Failed("No", "because")
	var e *Error
	if !errors.As(err, &e) || err.Error() != "No: because (500)" {
		t.Errorf("%v", err)
	}
	if s := (&Error{Code: 1, Message: "m"}).Error(); s != "m (1)" {
		t.Error(s)
	}
	// What cannot be written is left out, the error is answered all the same.
	got := string(answer(noID, nil, Failed("No", make(chan int))))
	if got != `{"jsonrpc":"2.0","error":{"code":500,"message":"No"},"id":null}` {
		t.Error(got)
	}
	o := Object{{"a", 1}, {"a", 2}}
	if o.Get("a") != 1 || o.Get("b") != nil {
		t.Errorf("Get: %v, %v", o.Get("a"), o.Get("b"))
	}
	if _, err := json.Marshal(Object{{"a", make(chan int)}}); err == nil {
		t.Error("a channel became JSON")
	}
}

// What terminals obey does not get into an answer: a name that a peer has chosen,
// or the id of a request.
func TestAnswersAreSafeOnATerminal(t *testing.T) {
	bad := "a\x1b[2J\x7f\u009b31m\u0085b\xffé"
	for name, text := range map[string][]byte{
		"result": answer(noID, Object{{bad, bad}}, nil),
		"list":   answer(noID, []any{bad, Object{{"x", []string{bad}}}}, nil),
		"error":  answer(noID, nil, Failed(bad, bad)),
		"id":     answer(json.RawMessage("\"\u007f\u009b\xff\""), "x", nil),
	} {
		for _, r := range string(text) {
			if r < ' ' || isHighControl(r) {
				t.Errorf("%s: %q", name, text)
				break
			}
		}
		var back any
		if !utf8.Valid(text) || json.Unmarshal(text, &back) != nil {
			t.Errorf("%s is no JSON: %q", name, text)
		}
	}
	var back struct{ Result map[string]string }
	if err := json.Unmarshal(answer(noID, Object{{"x", "\x7f\u0090"}}, nil), &back); err != nil || back.Result["x"] != "\x7f\u0090" {
		t.Errorf("%q, %v", back.Result["x"], err)
	}
}
