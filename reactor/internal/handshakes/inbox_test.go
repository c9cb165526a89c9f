package handshakes

import (
	"bytes"
	"testing"
)

func TestInbox(t *testing.T) {
	var b Inbox
	if b.Len() != 0 || b.Full() || len(b.Take()) != 0 {
		t.Error("the zero inbox is not empty")
	}
	b.Add([]byte("client"))
	b.Add([]byte("hello"))
	got := b.Take()
	b.Add([]byte("behind it"))
	if string(got) != "clienthello" || b.Len() != len("behind it") {
		t.Errorf("took %q, %d wait", got, b.Len())
	}
	if got = b.Take(); string(got) != "behind it" {
		t.Errorf("took %q", got)
	}
}

func TestInboxIsBounded(t *testing.T) {
	var b Inbox
	if !b.Add(make([]byte, inboxFull-1)) || b.Full() {
		t.Error("full too early")
	}
	if !b.Add([]byte{1}) || !b.Full() {
		t.Error("not full")
	}
	if !b.Add(bytes.Repeat([]byte{2}, inboxLimit-inboxFull)) {
		t.Error("refused below its limit")
	}
	if b.Add([]byte{3}) || b.Len() != inboxLimit {
		t.Errorf("took a byte too many: %d", b.Len())
	}
}
