package wire

import (
	"bytes"
	"testing"
)

func record(n int) []byte {
	return append([]byte{RecordHandshake, 3, 3, byte(n >> 8), byte(n)}, make([]byte, n)...)
}

func TestWholeRecord(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, RecordPlain, RecordLimit} {
		r := record(n)
		for _, cut := range []int{0, 1, RecordHeader - 1, RecordHeader, len(r) - 1} {
			if got := WholeRecord(r[:cut]); got != 0 && cut < len(r) {
				t.Errorf("%d of %d bytes are a record of %d", cut, len(r), got)
			}
		}
		if got := WholeRecord(append(r, 1, 2, 3)); got != len(r) {
			t.Errorf("body of %d: %d, want %d", n, got, len(r))
		}
	}
	if got := WholeRecord([]byte{23, 3, 3, 0xff, 0xff}); got != RecordHeader {
		t.Errorf("a header that promises too much: %d", got)
	}
}

func TestWholeRecords(t *testing.T) {
	three := bytes.Join([][]byte{record(10), record(600), record(3)}, nil)
	at := map[int]bool{}
	for _, r := range []int{0, 15, 15 + 605, len(three)} {
		at[r] = true
	}
	for cut := range len(three) + 1 {
		n := WholeRecords(three[:cut])
		if !at[n] || n > cut {
			t.Fatalf("of %d bytes %d are whole", cut, n)
		}
		if at[cut] && n != cut {
			t.Fatalf("%d bytes are whole, not %d", cut, n)
		}
	}
	// Nothing behind an empty record is looked at.
	if n := WholeRecords(append(record(0), record(5)...)); n != RecordHeader {
		t.Error(n)
	}
}

func TestAlertRecord(t *testing.T) {
	r := AlertRecord(AlertUnrecognizedName)
	if WholeRecord(r) != len(r) || r[0] != RecordAlert || r[len(r)-1] != 112 || r[len(r)-2] != 2 {
		t.Errorf("% x", r)
	}
}
