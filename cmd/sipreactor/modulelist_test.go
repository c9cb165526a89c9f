package main

import (
	"testing"

	"sipreactor/reactor/script"
)

// Each module is listed once: of two, one would be started and the other one's functions called.
func TestModulesOnce(t *testing.T) {
	seen := make(map[string]bool)
	for _, m := range script.Reference(modules) {
		if seen[m.Name] {
			t.Errorf("the module %s is listed twice", m.Name)
		}
		seen[m.Name] = true
	}
}
