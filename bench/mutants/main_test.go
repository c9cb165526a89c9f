package main

import (
	"os"
	"strings"
	"testing"
)

// The list is in order: its code is there, each once.
func TestListFollowsTheCode(t *testing.T) {
	text, err := os.ReadFile("mutants.txt")
	if err != nil {
		t.Fatal(err)
	}
	all, err := parse(string(text))
	if err != nil || len(all) < 30 {
		t.Fatalf("%d faults, %v", len(all), err)
	}
	for _, m := range all {
		code, err := os.ReadFile("../../" + m.file)
		if err != nil {
			t.Error(err)
			continue
		}
		if n := strings.Count(string(code), strings.Join(m.from, "\n")); n != 1 {
			t.Errorf("%s: %s has the code %d times", m.name, m.file, n)
		}
	}
}

func TestParse(t *testing.T) {
	all, err := parse("# a remark\n\n== a fault\nin x.go\ntest ./x A|B\ntest ./y C\n-\tone\n-\ttwo\n+\tthree\n\n== another\nin y.go\ntest . D\n-a\n")
	if err != nil || len(all) != 2 || all[0].name != "a fault" || strings.Join(all[0].from, "|") != "\tone|\ttwo" || len(all[0].tests) != 2 || all[1].to != nil {
		t.Errorf("%+v, %v", all, err)
	}
	for _, bad := range []string{"in x\n", "== a\nin x\n-y\n", "== a\nnonsense\n"} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
