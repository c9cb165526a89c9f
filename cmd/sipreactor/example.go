package main

import (
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"sipreactor/reactor/script"
)

//go:embed examples/*.cfg
var exampleFiles embed.FS

// exampleNames are the example configurations that the program carries, with what their first lines say.
var exampleNames = []string{"edge", "load-balancer", "trunk-edge", "direct-routing", "tls-to-udp", "trusted-domains", "websocket-edge", "responder"}

// example gives a configuration by its name.
func example(name string) ([]byte, bool) {
	switch {
	case !slices.Contains(exampleNames, name):
		return nil, false
	case name == "responder":
		return script.Default(), true
	case name == "edge":
		name = "opensips"
	}
	text, err := exampleFiles.ReadFile("examples/" + name + ".cfg")
	return text, err == nil
}

// runExample prints an example configuration, or without a name which there are.
func runExample(args []string, stdout, stderr io.Writer) int {
	switch {
	case len(args) == 1 && !strings.HasPrefix(args[0], "-"):
		text, ok := example(args[0])
		if !ok {
			fmt.Fprintf(stderr, "sipreactor: there is no example %q; there are %s\n", args[0], strings.Join(exampleNames, ", "))
			return exitUsage
		}
		_, _ = stdout.Write(text)
	case len(args) == 0 || args[0] == "-h" || args[0] == "--help":
		fmt.Fprintln(stdout, "Usage: sipreactor example NAME > opensips.cfg\n\nExamples:")
		for _, name := range exampleNames {
			text, _ := example(name)
			first, _, _ := strings.Cut(string(text), "\n")
			fmt.Fprintf(stdout, "  %-15s %s\n", name, strings.TrimPrefix(first, "# "))
		}
	default:
		fmt.Fprintln(stderr, "sipreactor: example takes one name")
		return exitUsage
	}
	return exitOK
}

// filesOf reads the files that a configuration shows in its comments: a line FILE with the path, and rows that are
// indented.
func filesOf(text string) map[string]string {
	files := map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		path, begins := strings.CutPrefix(line, "# FILE ")
		row, goes := strings.CutPrefix(line, "#   ")
		switch {
		case begins:
			name = strings.TrimSpace(path)
		case goes && name != "":
			files[name] += row
		default:
			name = ""
		}
	}
	return files
}
