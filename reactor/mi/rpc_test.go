package mi

import (
	"encoding/json"
	"errors"
	"testing"
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
