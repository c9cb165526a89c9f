package main

import (
	"testing"

	"sipreactor/reactor/script"
)

// TestModulesAreListedOnce: of two of one name, one would declare the functions and the other be started.
func TestModulesAreListedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range script.Reference(modules) {
		if seen[m.Name] {
			t.Errorf("%s is listed twice", m.Name)
		}
		seen[m.Name] = true
	}
}
