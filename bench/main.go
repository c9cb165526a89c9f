// Command bench compares sipreactor with other systems under the same loads, and writes report.html and report.json:
//
//	go -C bench run . --quick
//	go -C bench run . --list
//
// With the name of a load it offers that one to a SIP element over TLS or TCP, or answers one, and prints what came of
// it:
//
//	go -C bench run . uas     --listen 127.0.0.1:5071
//	go -C bench run . options --to 127.0.0.1:5061 --connections 50 --window 8
//	go -C bench run . shim    --listen 127.0.0.1:5060 --to 127.0.0.1:5061
//	go -C bench run . calls   --to 127.0.0.1:5061 --callee 'sip:uas@127.0.0.1:5071;transport=tls' --rate 200
//
// The comparison exits 0 when it has come to its end, 1 when it was interrupted, 2 when it could not begin or not write.
// Each load exits 0 when every unit ended as it should, once; 1 when not; 2 when it could not start.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/pflag"
)

var errUsage = errors.New("usage")

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") || args[0] == "help" {
		if len(args) > 0 && args[0] == "help" {
			args = []string{"--help"}
		}
		if err := runComparison(ctx, args, stdout, stderr); err != nil && !errors.Is(err, pflag.ErrHelp) {
			fmt.Fprintln(stderr, "bench:", err)
			if errors.Is(err, errUnfinished) {
				return 1
			}
			return 2
		}
		return 0
	}
	for _, c := range commands {
		if c.name != args[0] {
			continue
		}
		clean, err := c.run(ctx, args[1:], stdout)
		switch {
		case errors.Is(err, pflag.ErrHelp):
			return 0
		case err != nil:
			fmt.Fprintln(stderr, "bench:", err)
			return 2
		case !clean:
			return 1
		}
		return 0
	}
	fmt.Fprintf(stderr, "bench: no load %q; go -C bench run . --help\n", args[0])
	return 2
}

func help(w io.Writer) {
	fmt.Fprintln(w, "Usage: go -C bench run . [flags]       compare with other systems")
	fmt.Fprintln(w, "       go -C bench run . LOAD [flags]  one load; LOAD --help tells its flags")
	fmt.Fprintln(w)
	for _, c := range commands {
		fmt.Fprintf(w, "  %-12s %s\n", c.name, c.about)
	}
}
