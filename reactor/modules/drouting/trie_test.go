package drouting

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func alphabet(t testing.TB, extra string) [128]int8 {
	t.Helper()
	codes, err := newAlphabet(extra)
	if err != nil {
		t.Fatal(err)
	}
	return codes
}

func at(t testing.TB, codes *[128]int8, group int32, prefix string, rule uint32, priority int32) place {
	t.Helper()
	p, err := encode(codes, prefix)
	if err != nil {
		t.Fatal(err)
	}
	return place{group, rule, priority, p}
}

func found(tr *trie, group int32, number string, strict bool) string {
	var m match
	tr.find(&m, group, []byte(number), strict)
	var all []string
	m.rules(func(rule uint32, prefix int) bool {
		all = append(all, fmt.Sprintf("%d/%d", rule, prefix))
		return true
	})
	return strings.Join(all, " ")
}

func TestTrie(t *testing.T) {
	codes := alphabet(t, "#*+")
	tr := newTrie(codes, []place{
		at(t, &codes, 1, "", 0, 0), at(t, &codes, 1, "49", 1, 0), at(t, &codes, 1, "4930", 2, 1), at(t, &codes, 1, "4930", 3, 5),
		at(t, &codes, 1, "4930", 4, 5), at(t, &codes, 1, "+49", 5, 0), at(t, &codes, 1, "*#", 6, 0), at(t, &codes, 2, "49", 7, 0),
		at(t, &codes, 1, "1234567890", 8, 0),
	})
	for _, c := range []struct {
		group  int32
		number string
		strict bool
		want   string
	}{
		{1, "49301234", false, "3/4 4/4 2/4 1/2 0/0"},
		{1, "4930", false, "3/4 4/4 2/4 1/2 0/0"},
		{1, "493", false, "1/2 0/0"},
		{1, "1", false, "0/0"},
		{1, "", false, "0/0"},
		{1, "12345678901", false, "8/10 0/0"},
		{1, "+4930", false, "5/3 0/0"},
		{1, "*#06#", false, "6/2 0/0"},
		{1, "anna", false, "0/0"},
		{1, "49\xff", false, "1/2 0/0"},
		{2, "4930", false, "7/2"},
		{2, "50", false, ""},
		{3, "4930", false, ""},
		{1, "4930", true, "3/4 4/4 2/4"},
		{1, "493", true, ""},
		{1, "", true, "0/0"},
	} {
		if got := found(tr, c.group, c.number, c.strict); got != c.want {
			t.Errorf("%s in group %d: %s, want %s", c.number, c.group, got, c.want)
		}
	}
	if got := found(newTrie(codes, nil), 1, "49", false); got != "" {
		t.Errorf("no rules: %s", got)
	}
}

func TestAlphabet(t *testing.T) {
	codes := alphabet(t, "0#")
	if _, err := encode(&codes, "49-30"); err == nil || !strings.Contains(err.Error(), "'-'") {
		t.Errorf("a minus is taken: %v", err)
	}
	if _, err := encode(&codes, strings.Repeat("1", maxPrefix+1)); err == nil {
		t.Error("a very long prefix is taken")
	}
	if _, err := newAlphabet("abcdefghijklmnopqrstuvw"); err == nil {
		t.Error("33 characters are taken")
	}
	if _, err := newAlphabet("ä"); err == nil {
		t.Error("a letter that is not ASCII is taken")
	}
}

// TestTrieAgainstScan compares with looking at each rule.
func TestTrieAgainstScan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	codes := alphabet(t, "")
	random := func(most int) string {
		b := make([]byte, r.IntN(most+1))
		for i := range b {
			b[i] = '0' + byte(r.UintN(3))
		}
		return string(b)
	}
	for range 20 {
		var places []place
		var prefixes []string
		for i := range 100 {
			p := random(7)
			prefixes = append(prefixes, p)
			places = append(places, at(t, &codes, 1, p, uint32(i), 0))
		}
		tr := newTrie(codes, places)
		for range 200 {
			number := random(9)
			var want []string
			for size := len(number); size >= 0; size-- {
				for i, p := range prefixes {
					if p == number[:size] {
						want = append(want, fmt.Sprintf("%d/%d", i, size))
					}
				}
			}
			if got := found(tr, 1, number, false); got != strings.Join(want, " ") {
				t.Fatalf("%s: %s, want %v", number, got, want)
			}
		}
	}
}

// million are a million rules with prefixes of 6 to 11 digits.
func million() (places []place, numbers [][]byte) {
	r := rand.New(rand.NewPCG(1, 2))
	codes, _ := newAlphabet("")
	for i := range 1_000_000 {
		number := make([]byte, 13)
		for j := range number {
			number[j] = '0' + byte(r.UintN(10))
		}
		copy(number, []string{"49", "33", "44", "1", "7"}[r.IntN(5)])
		p, _ := encode(&codes, string(number[:6+r.IntN(6)]))
		places = append(places, place{int32(1 + i%2), uint32(i), 0, p})
		if i%16 == 0 {
			numbers = append(numbers, number)
		}
	}
	return places, numbers
}

func BenchmarkFindMillion(b *testing.B) {
	places, numbers := million()
	codes, _ := newAlphabet("")
	tr := newTrie(codes, places)
	var m match
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		tr.find(&m, int32(1+i%2), numbers[i%len(numbers)], false)
	}
}
