package auth

import "testing"

func TestGuard(t *testing.T) {
	var (
		alice = []byte("alice")
		bob   = []byte("bob")
	)
	const home, away, first = uint64(1), uint64(2), uint64(3)
	g := newGuard(3, 5, 60)
	for range 3 {
		if g.refuses(home, alice, 100) {
			t.Fatal("refused too early")
		}
		g.failed(home, alice, 100)
	}
	for _, c := range []struct {
		name string
		from uint64
		user []byte
		now  int64
		want bool
	}{
		{"who guessed", home, alice, 159, true},
		{"as another name of the user", home, []byte("ALIce@example.org"), 159, true},
		{"as a name with spaces", home, []byte("alice  "), 159, true},
		{"with accents", home, []byte("Älíce\u0301"), 159, true},
		{"in wide letters", home, []byte("ＡＬＩＣＥ　"), 159, true},
		{"with what shows nothing", home, []byte("al\u200di\u00adce"), 159, true},
		{"and in ASCII", home, []byte("al\x01ice\x7f"), 159, true},
		{"with letters that have a stroke", home, []byte("ałice"), 159, true},
		{"the user elsewhere", away, alice, 159, false},
		{"another user there", home, bob, 159, false},
		{"later", home, alice, 160, false},
	} {
		if got := g.refuses(c.from, c.user, c.now); got != c.want {
			t.Errorf("%s: refused %v", c.name, got)
		}
	}
	for i := range 5 {
		g.failed(first, []byte{byte('a' + i)}, 200)
	}
	if !g.refuses(first, []byte("new"), 200) {
		t.Error("a source is not refused")
	}
	if g.refused.Load() != 9 {
		t.Errorf("%d refused", g.refused.Load())
	}
	if names := [...]string{"\xe9", "\xea", "é", "f", "日本", "日", ""}; true {
		seen := map[uint64]string{}
		for _, n := range names {
			key := g.key(home, []byte(n))
			if other, is := seen[key]; is {
				t.Errorf("%q counts as %q", n, other)
			}
			seen[key] = n
		}
	}
	g.sweep(1000)
	for i := range g.shards {
		if len(g.shards[i].keys) != 0 {
			t.Error("not forgotten")
		}
	}
	full := newGuard(3, 5, 60)
	for i := range 2 * guardShards * guardBound {
		full.failed(home, []byte{byte(i), byte(i >> 8), byte(i >> 16)}, 2000)
	}
	n := 0
	for i := range full.shards {
		n += len(full.shards[i].keys)
	}
	if n > guardShards*guardBound {
		t.Errorf("%d keys", n)
	}
	for i := range byte(3) { // the table is full, and who comes new is counted all the same
		if full.refuses(away, alice, 2000) {
			t.Errorf("refused behind %d failures", i)
		}
		full.failed(away, alice, 2000)
	}
	if !full.refuses(away, alice, 2000) {
		t.Error("who guesses while the table is full is never refused")
	}
	for i := range guardBound { // and who fills it does not push him out
		full.failed(home, []byte{1, 2, 3, 4, byte(i), byte(i >> 8)}, 2000)
	}
	if !full.refuses(away, alice, 2000) {
		t.Error("others who fail once make one forgotten who guesses")
	}
	g.slow = 2
	for i, want := range []int64{0, 0, 1, 2, 4, 8, 16, 32, 32} {
		if got := g.waits(away, alice, 3000); got != want {
			t.Errorf("behind %d failures it waits %d s, want %d", i, got, want)
		}
		if i == 2 && (g.waits(away, alice, 3001) != 0 || g.waits(home, alice, 3000) != 0 || g.waits(away, bob, 3000) != 0) {
			t.Error("it waits longer than told, elsewhere, or another waits")
		}
		g.failed(away, alice, 3000)
	}
	if off := newGuard(0, 0, 60); off.refuses(home, alice, 1) {
		t.Error("refused without a limit")
	}
}
