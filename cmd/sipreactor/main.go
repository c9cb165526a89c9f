// Names are resolved in Go also where cgo is on: a look-up in the C library takes a thread for as long as it lasts.
//
//go:debug netdns=go

// Certificates with a serial number below zero are about (RFC 5280 4.1.2.2 asks
// to handle them gracefully); whether they are taken is for verify_cert to say.
//
//go:debug x509negativeserial=1

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/pflag"

	"sipreactor/tlsstate"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the configuration is wrong, or the program could not start
	exitUsage  = 2
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// options are the command line of the proxy itself.
type options struct {
	file    string // "" is the built-in configuration
	check   bool
	here    bool // -C fails for what this machine lacks, too
	version bool
	about   bool   // -H
	module  string // of -H; "" all
	profile string // file for a CPU profile; "" none
	process processOptions
}

// run is the program without the process around it: it returns the exit code, and ends early when ctx does.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "demo":
			return runDemo(ctx, args[1:], stdout, stderr)
		case "mi":
			return runMI(ctx, args[1:], stdout, stderr)
		case "db":
			return runDB(ctx, args[1:], os.Stdin, stdout, stderr)
		case "example":
			return runExample(args[1:], stdout, stderr)
		case "completion":
			return runCompletion(args[1:], stdout, stderr)
		case "__complete":
			return runComplete(ctx, args[1:], stdout)
		}
	}
	o, err := parse(args, stdout)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "sipreactor: %v\nsipreactor --help tells the usage\n", err)
		return exitUsage
	case o.about:
		return about(o.module, stdout, stderr)
	case o.version:
		versions(stdout)
		return exitOK
	case o.check:
		return check(ctx, o, stdout, stderr)
	}
	stop, err := startProfile(o.profile)
	if err != nil {
		fmt.Fprintln(stderr, "sipreactor:", err)
		return exitFailed
	}
	defer stop()
	return serve(ctx, o, stdout, stderr)
}

const usage = `Usage: sipreactor [flags]          run
       sipreactor -C [-f FILE]     check a configuration
       sipreactor -H [MODULE]      print what the modules, or one of them, offer to a configuration
       sipreactor demo [flags]     see a call and a load; demo --help tells its flags
       sipreactor mi COMMAND       ask a running one; mi --help tells its flags
       sipreactor db create URL    make the tables of a database; db --help tells more
       sipreactor example [NAME]   print an example configuration, or which there are
       sipreactor completion SHELL print what completes all this in bash, zsh or fish

Without -f a built-in configuration runs: TLS on 127.0.0.1:5061 with a
certificate of its own, for loopback only.

Flags:
%s
Signals:
  TERM, INT   take nothing new, finish what is under way within shutdown_timeout, exit 0; a second one exits at once
  HUP         read the configuration and the files of the TLS domains again; an error leaves the old ones in use

Exit codes: 0 in order, 1 the configuration is wrong or the start failed, 2 wrong usage
`

func parse(args []string, help io.Writer) (options, error) {
	var o options
	f := pflag.NewFlagSet("sipreactor", pflag.ContinueOnError)
	f.SortFlags = false
	f.SetOutput(io.Discard)
	f.StringVarP(&o.file, "file", "f", "", "run this configuration, an opensips.cfg")
	f.BoolVarP(&o.check, "check", "C", false, "check the configuration and the files that it names, and exit: 0 when it is good; databases on a network are not asked, and nothing is changed")
	f.BoolVar(&o.here, "here", false, "with -C: what this machine lacks of what the configuration names (addresses, files, folders) is an error, too")
	f.BoolVarP(&o.about, "reference", "H", false, "print the reference of all modules, or of one, and exit")
	f.BoolVarP(&o.version, "version", "V", false, "print versions and exit")
	f.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of the run to this file, for go tool pprof")
	f.BoolP("help", "h", false, "print this help and exit")
	notes := o.process.add(f, &o.check)
	f.Usage = func() {}
	if err := f.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			fmt.Fprintf(help, usage, f.FlagUsages())
		}
		return o, err
	}
	if asked, _ := f.GetBool("help"); asked {
		fmt.Fprintf(help, usage, f.FlagUsages())
		return o, pflag.ErrHelp
	}
	switch {
	case o.about && f.NArg() < 2:
		o.module = f.Arg(0)
	case f.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case f.Changed("file") && o.file == "":
		return o, errors.New("-f wants a file")
	}
	o.process.notes = notes()
	return o, nil
}

// version is that of the program; a release sets it with -ldflags "-X main.version=...".
var version = "0.1.0-dev"

// versions prints what this binary is made of.
func versions(w io.Writer) {
	fmt.Fprintf(w, "sipreactor %s\n", version)
	for _, l := range tlsstate.Libraries() {
		fmt.Fprintf(w, "TLS: %s (tls_library %s)\n", l.Version, l.Name)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		fmt.Fprintln(w, runtime.Version())
		return
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			fmt.Fprintln(w, "commit", s.Value)
		}
	}
	fmt.Fprintf(w, "%s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		fmt.Fprintln(w, m.Path, m.Version)
	}
}
