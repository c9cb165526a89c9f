package regex

import (
	"strings"
	"testing"
)

// example is the file of the documentation.
const example = `### List of User-Agents publishing presence status
[0]

# Softphones
^Twinkle/1
^X-Lite
^SIP Communicator

# Others
^SIPp


### Blacklisted source IP's
[1]

^190\.232\.250\.226$
^86\.92\.112\.


### Free PSTN destinations in Spain
[2]

^1\d{3}$
^((\+|00)34)?900\d{6}$
`

func read(t *testing.T, text string, o options) func(group int, s string) bool {
	t.Helper()
	if o.maxGroups == 0 {
		o.maxGroups, o.maxSize = 20, 8192
	}
	groups, err := parseGroups([]byte(text), &o)
	if err != nil {
		t.Fatal(err)
	}
	return func(group int, s string) bool { return group < len(groups) && groups[group].MatchString(s) }
}

// TestGroups match by the documentation's file.
func TestGroups(t *testing.T) {
	match := read(t, example, options{})
	for _, tc := range []struct {
		group int
		s     string
		want  bool
	}{
		{0, "Twinkle/1.4", true}, {0, "twinkle/1.4", false}, {0, "SIP Communicator 1", true}, {0, "Other", false}, {1, "86.92.112.7", true}, {1, "1.86.92.112.7", false},
		{2, "1234", true}, {2, "0034900123456", true}, {2, "900123456", true}, {2, "12345", false}, {3, "x", false},
	} {
		if match(tc.group, tc.s) != tc.want {
			t.Errorf("group %d and %q", tc.group, tc.s)
		}
	}
	if !read(t, example, options{caseless: true})(0, "twinkle/1") || !read(t, "[1]\n^aaa\n[2]\n^c\n", options{})(0, "aaab") {
		t.Error("case, or the numbers of groups")
	}
	if !read(t, "[0]\n^a b # note\n", options{extended: true})(0, "ab") {
		t.Error("extended")
	}
}

// TestGroupErrors name the line.
func TestGroupErrors(t *testing.T) {
	for text, want := range map[string]string{
		"": "there is no group", "x\n": "line 1: an expression stands before", "[0]\na(\n": "line 2: error parsing", "[0]\n(?=x)\n": "line 2: error parsing",
		strings.Repeat("[0]\n", 21): "more than 20 groups", "[0]\n" + strings.Repeat("x", 8193): "larger than 8192",
	} {
		o := options{maxGroups: 20, maxSize: 8192}
		if _, err := parseGroups([]byte(text), &o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// TestExtended leaves out what PCRE's extended syntax ignores.
func TestExtended(t *testing.T) {
	for s, want := range map[string]string{"a b": "ab", `a\ b`: "a b", "[ #] x": "[ #]x", "a # c\n b": "ab", `\d \#`: `\d#`, "a\\": "a\\", `[\] ]`: `[\] ]`} {
		if got := withoutBlanks(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}
