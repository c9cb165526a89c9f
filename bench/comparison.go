package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	window := f.Duration("window", 5*time.Second, "time that is measured in each run")
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
	systems := system.All()
	if len(*peer) > 0 {
		systems = nil
		for _, name := range *peer {
			s, err := system.Find(name)
			if err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			systems = append(systems, s)
		}
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
		listAll(stdout, measures, systems)
		return nil
	}
	if *runs < 1 || *window < 100*time.Millisecond {
		return fmt.Errorf("%w: at least one run of 100ms", errUsage)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	r, err := compare.Run(ctx, compare.Config{
		Measures: measures, Systems: systems, Runs: *runs, Window: *window, Quick: *quick,
		Command: calledAs(f), Progress: stderr, Bench: self,
	})
	if err != nil {
		return err
	}
	page := filepath.Join(*dir, "report.html")
	if err := errors.Join(r.WriteText(stdout), r.Save(filepath.Join(*dir, "report.json")), r.SaveHTML(page)); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "written: %s and report.json\n", page)
	return nil
}

// calledAs is the call that measures the same again, wherever it writes.
func calledAs(f *pflag.FlagSet) string {
	text := "go run ./bench"
	f.Visit(func(flag *pflag.Flag) {
		switch flag.Name {
		case "out":
		case "quick":
			text += " --quick"
		default:
			text += " --" + flag.Name + " " + strings.Trim(flag.Value.String(), "[]")
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

// The marks in README between which the figures are.
const (
	figuresBegin = "<!-- figures: go run ./bench table report.json --into README.md -->\n"
	figuresEnd   = "<!-- /figures -->\n"
)

// runTable prints the few figures of a report that README shows, or writes them there.
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
