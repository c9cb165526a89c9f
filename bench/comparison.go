package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"sipreactor/bench/compare"
	"sipreactor/bench/report"
	"sipreactor/bench/system"
)

// runComparison is what the program does without a sub-command.
func runComparison(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	f.SetOutput(stdout)
	f.SortFlags = false
	only := f.StringSlice("only", nil, "loads: names, groups, globs, or \"reach\" for those that a figure to reach hangs on")
	peer := f.StringSlice("peer", nil, "systems (default: all)")
	runs := f.Int("runs", 3, "runs of each load")
	window := f.Duration("window", 3*time.Second, "time that is measured in each run")
	workers := f.Int("workers", 0, "workers of systems where that is a matter of choice (default: what does best in short pilots)")
	quick := f.Bool("quick", false, "a few loads, one run, a short window: three minutes")
	dir := f.String("out", ".", "directory for report.html and report.json")
	list := f.Bool("list", false, "list loads and systems")
	f.Usage = func() { help(stdout); fmt.Fprintf(stdout, "\nFlags of the comparison:\n%s", f.FlagUsages()) }
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%w: no load %q", errUsage, f.Arg(0))
	}
	measures, err := compare.Select(*only)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	systems, err := find(*peer)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if *quick {
		if len(*only) == 0 {
			measures = quickOnes(measures)
		}
		if !f.Changed("runs") {
			*runs = 1
		}
		if !f.Changed("window") {
			*window = 800 * time.Millisecond
		}
	}
	if *list {
		if len(*peer) == 0 {
			systems = append(systems, system.Loops()...)
		}
		listAll(stdout, measures, systems)
		return nil
	}
	if *runs < 1 || *window < 100*time.Millisecond || *workers < 0 || *workers > 64 {
		return fmt.Errorf("%w: at least one run of 100ms, at most 64 workers", errUsage)
	}
	if err := writable(*dir); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	page := filepath.Join(*dir, "report.html")
	save := func(r *report.Report) error {
		return errors.Join(r.Save(filepath.Join(*dir, "report.json")), r.SaveHTML(page))
	}
	r, err := compare.Run(ctx, compare.Config{
		Measures: measures, Systems: systems, Chosen: len(*only) > 0 || len(*peer) > 0,
		Runs: *runs, Window: *window, Workers: *workers, Quick: *quick,
		Command: "go -C bench run ." + calledWith(f, "out"), Again: calledWith(f, "out", "only", "peer", "workers"),
		Progress: stderr, Bench: self, Save: save,
	})
	if r == nil {
		return err
	}
	if err := errors.Join(err, r.WriteText(stdout), save(r)); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "written: %s and report.json\n", page)
	if r.Unfinished != "" {
		return errUnfinished
	}
	return nil
}

// errUnfinished tells that a comparison was interrupted.
var errUnfinished = errors.New("interrupted: the report has what was measured until then")

// find looks systems up by their names, each once; no names are all.
func find(names []string) ([]system.System, error) {
	if len(names) == 0 {
		return system.All(), nil
	}
	var systems []system.System
	for i, name := range names {
		s, err := system.Find(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names[:i], name) {
			systems = append(systems, s)
		}
	}
	return systems, nil
}

// writable makes a directory and tries it: not after an hour of measuring.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	f, err := os.CreateTemp(dir, ".report-")
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// calledWith is the flags of a call as a shell takes them, but for some.
func calledWith(f *pflag.FlagSet, but ...string) string {
	text := ""
	f.Visit(func(flag *pflag.Flag) {
		switch {
		case slices.Contains(but, flag.Name):
		case flag.Value.Type() == "bool":
			text += " --" + flag.Name
		default:
			value := flag.Value.String()
			if list, ok := flag.Value.(pflag.SliceValue); ok {
				value = strings.Join(list.GetSlice(), ",")
			}
			if strings.ContainsAny(value, "*?[]\\ ") {
				value = "'" + value + "'"
			}
			text += " --" + flag.Name + " " + value
		}
	})
	return text
}

func quickOnes(all []compare.Measure) []compare.Measure {
	var some []compare.Measure
	for _, m := range all {
		if m.Quick {
			some = append(some, m)
		}
	}
	return some
}

func listAll(w io.Writer, measures []compare.Measure, systems []system.System) {
	fmt.Fprintln(w, "Loads (--only NAME, a group or a glob; * a figure to reach hangs on it):")
	for _, m := range measures {
		mark := ' '
		if m.Reach {
			mark = '*'
		}
		fmt.Fprintf(w, " %c%-24s %-11s %s\n", mark, m.Name, m.Group, m.About)
	}
	fmt.Fprintln(w, "Systems (--peer NAME):")
	for _, s := range systems {
		fmt.Fprintf(w, "  %-24s %s\n", s.Name, s.About)
	}
}

// The marks in files of bench/figures between which the figures of a report are.
const (
	figuresBegin = "<!-- figures: go -C bench run . table report.json --into this file -->\n"
	figuresEnd   = "<!-- /figures -->\n"
)

// runTable prints the few figures of a report that comparison.md shows, or writes them there.
func runTable(_ context.Context, args []string, out io.Writer) (bool, error) {
	f := pflag.NewFlagSet("bench table", pflag.ContinueOnError)
	f.SetOutput(out)
	into := f.String("into", "", "file that has them between two marks, instead of printing")
	reach := f.Bool("reach", false, "what is to be reached, instead of the figures")
	if err := f.Parse(args); err != nil {
		return false, err
	}
	if f.NArg() != 1 {
		return false, fmt.Errorf("%w: bench table report.json", errUsage)
	}
	r, err := report.Load(f.Arg(0))
	if err != nil {
		return false, err
	}
	var text strings.Builder
	write := r.WriteMarkdown
	if *reach {
		write = r.WriteReach
	}
	if err := write(&text); err != nil {
		return false, err
	}
	if *into == "" {
		_, err := io.WriteString(out, text.String())
		return err == nil, err
	}
	old, err := os.ReadFile(*into)
	if err != nil {
		return false, err
	}
	before, rest, ok := strings.Cut(string(old), figuresBegin)
	_, after, ok2 := strings.Cut(rest, figuresEnd)
	if !ok || !ok2 {
		return false, fmt.Errorf("%s has no %q and %q", *into, figuresBegin, figuresEnd)
	}
	return true, os.WriteFile(*into, []byte(before+figuresBegin+text.String()+figuresEnd+after), 0o644)
}
