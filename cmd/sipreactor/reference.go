package main

import (
	"fmt"
	"io"
	"strings"

	"sipreactor/reactor/script"
)

// about prints the reference of a module, or of all.
func about(module string, stdout, stderr io.Writer) int {
	name := strings.TrimSuffix(module, ".so")
	found := false
	for _, m := range script.Reference(modules) {
		if name != "" && m.Name != name {
			continue
		}
		if found {
			fmt.Fprintln(stdout)
		}
		found = true
		m.WriteReference(stdout)
	}
	if !found {
		var names []string
		for _, m := range script.Reference(modules) {
			names = append(names, m.Name)
		}
		fmt.Fprintf(stderr, "sipreactor: there is no module %s; there are %s\n", name, strings.Join(names, " "))
		return exitFailed
	}
	return exitOK
}
