package xml

import "testing"

// Check parses a text and what is written of it, which has to be the same.
func Check(t *testing.T, text string) {
	nodes, err := parse([]byte(text))
	if err != nil {
		return
	}
	write := func(nodes []*node) (b []byte) {
		for _, n := range nodes {
			b, _ = n.appendTo(b)
		}
		return b
	}
	first := write(nodes)
	again, err := parse(first)
	if len(first) < maxText && err != nil {
		t.Fatalf("%q is written as %q: %v", text, first, err)
	}
	if err == nil && string(write(again)) != string(first) {
		t.Fatalf("%q is written as %q and %q", text, first, write(again))
	}
}
