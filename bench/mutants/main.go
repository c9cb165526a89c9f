// Command mutants breaks the engine on purpose, one place at a time, in a copy of the
// repository, and tells which of the faults no test notices:
//
//	go -C bench run ./mutants [-only text] [-list mutants/mutants.txt]
//
// The list has a paragraph a fault: "== what is broken", "in FILE", "test PACKAGE
// REGEXP" (the tests that have to notice; more lines are more of them), then the code
// that is there behind "-" and what takes its place behind "+", line by line. Code that is
// not to be found exactly once is an error: the list follows the code.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// mutant is one fault.
type mutant struct {
	name, file string
	from, to   []string
	tests      [][2]string // package, regular expression
}

func main() {
	only := flag.String("only", "", "those whose name has this text")
	list := flag.String("list", "mutants/mutants.txt", "the faults")
	flag.Parse()
	survived, err := run(*list, *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
	if survived > 0 {
		os.Exit(1)
	}
}

// run tries the faults of a list and returns how many no test has noticed.
func run(list, only string) (survived int, err error) {
	text, err := os.ReadFile(list)
	if err != nil {
		return 0, err
	}
	all, err := parse(string(text))
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if out, err := exec.Command("bash", "-c", "cd $(git rev-parse --show-toplevel) && git ls-files -z -co --exclude-standard | xargs -0 cp --parents -t "+dir).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("copying the repository: %w: %s", err, out)
	}
	tried := 0
	for i := range all {
		m := &all[i]
		if !strings.Contains(m.name, only) {
			continue
		}
		began := time.Now()
		verdict, err := m.try(dir)
		if err != nil {
			return survived, fmt.Errorf("%s: %w", m.name, err)
		}
		tried++
		if verdict == "" {
			survived++
			verdict = "SURVIVED"
		}
		fmt.Printf("| %s | %s | %s |\n", m.name, m.file, verdict)
		fmt.Fprintf(os.Stderr, "%d: %v\n", tried, time.Since(began).Round(time.Second))
	}
	fmt.Printf("\n%d faults, %d noticed, %d survived\n", tried, tried-survived, survived)
	return survived, nil
}

// parse reads a list.
func parse(text string) (all []mutant, err error) {
	var m *mutant
	for n, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#':
		case word == "==":
			all = append(all, mutant{name: rest})
			m = &all[len(all)-1]
		case m == nil:
			return nil, fmt.Errorf("line %d stands before the first fault", n+1)
		case word == "in":
			m.file = rest
		case word == "test":
			pkg, expr, _ := strings.Cut(rest, " ")
			m.tests = append(m.tests, [2]string{pkg, expr})
		case line[0] == '-':
			m.from = append(m.from, line[1:])
		case line[0] == '+':
			m.to = append(m.to, line[1:])
		default:
			return nil, fmt.Errorf("line %d: %q", n+1, line)
		}
	}
	for _, m := range all {
		if m.file == "" || len(m.from) == 0 || len(m.tests) == 0 {
			return nil, fmt.Errorf("%s: a file, code and tests are needed", m.name)
		}
	}
	return all, nil
}

// try breaks the copy, runs the tests, and mends it. It returns which test noticed.
func (m *mutant) try(dir string) (noticed string, err error) {
	path := filepath.Join(dir, m.file)
	code, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	from, to := strings.Join(m.from, "\n"), strings.Join(m.to, "\n")
	if n := strings.Count(string(code), from); n != 1 {
		return "", fmt.Errorf("%s has the code %d times", m.file, n)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(code), from, to, 1)), 0o600); err != nil {
		return "", err
	}
	defer func() {
		if e := os.WriteFile(path, code, 0o600); err == nil {
			err = e
		}
	}()
	for _, t := range m.tests {
		cmd := exec.Command("go", "test", "-vet=off", "-count=1", "-timeout=150s", "-run", t[1], t[0])
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err == nil {
			continue
		}
		if strings.Contains(string(out), "[build failed]") || strings.Contains(string(out), "[setup failed]") {
			return "", fmt.Errorf("it does not build:\n%s", out)
		}
		for line := range strings.Lines(string(out)) {
			if name, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
				name, _, _ = strings.Cut(name, " ")
				return name, nil
			}
		}
		return "the whole of " + t[0], nil // it hung or ended
	}
	return "", nil
}
