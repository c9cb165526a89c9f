package acc

import (
	"testing"
	"time"

	"sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
)

// TestKept: a call that was answered under one configuration is recorded under another, whose fields are others.
func TestKept(t *testing.T) {
	before := New(new(script.Config)).Instance.(*module)
	for _, text := range []string{"log: gone; src", "db: dst"} {
		if err := before.extra.add(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := before.legs.add("log: leg"); err != nil {
		t.Fatal(err)
	}
	d, err := dialog.New(dialog.Config{}).Create(&dialog.Init{CallID: "c1", FromTag: "a", Caller: dialog.Leg{Tag: "a"}, Timeout: 60}, 1)
	if err != nil {
		t.Fatal(err)
	}
	at := time.UnixMilli(1700000000123)
	a := &account{of: before, dialog: d, began: at, table: "mine", mark: mark{toLog: wanted | cdr, toDB: wanted},
		extra: [][]byte{[]byte("x"), []byte("alice\xff"), nil}, legs: [][][]byte{{[]byte("1")}, nil}}
	a.keep(&record{time: at.Add(time.Second), method: []byte("INVITE"), toTag: []byte("b")})
	a.keep(&record{time: at.Add(time.Hour), toTag: []byte("another 2xx")})

	after := New(new(script.Config)).Instance.(*module)
	if err := after.extra.add("log: dst; src; new"); err != nil {
		t.Fatal(err)
	}
	if err := after.legs.add("log: new; leg"); err != nil {
		t.Fatal(err)
	}
	c, b := kept(d), after.ofDialog(d)
	if c == nil || b == nil {
		t.Fatal("nothing is kept")
	}
	if c.Mark != (mark{toLog: wanted | cdr}) || c.Table != "mine" || string(c.ToTag) != "b" || c.Answered-c.Created != 1000 {
		t.Errorf("%+v", c)
	}
	if len(b.extra) != 3 || b.extra[0] != nil || string(b.extra[1]) != "alice\xff" || b.extra[2] != nil {
		t.Errorf("extra %q", b.extra)
	}
	if len(b.legs) != 2 || b.legs[0][0] != nil || string(b.legs[0][1]) != "1" || b.legs[1][1] != nil {
		t.Errorf("legs %q", b.legs)
	}
	b.extra[2] = []byte("late")
	b.save()
	if got := kept(d); string(got.Extra["new"]) != "late" || got.Answered != c.Answered || got.Mark != c.Mark {
		t.Errorf("%+v", got)
	}
}
