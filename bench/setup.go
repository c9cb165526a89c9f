package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/pflag"

	"sipreactor/bench/system"
)

// tool is something of Debian's that the comparison uses.
type tool struct {
	name, pkg, what string
	there           func(ctx context.Context) bool
}

var tools = []tool{
	{"haproxy", "haproxy", "a relay to compare with", program("haproxy")},
	{"kamailio", "kamailio", "a SIP server to compare with", program("kamailio")},
	{"kamailio's tls.so", "kamailio-tls-modules", "its TLS", installedPackage("kamailio-tls-modules")},
	{"sipp", "sip-tester", "the scenarios of bench/sipp", program("sipp")},
	{"gcc", "gcc", "sipreactor with OpenSSL's code for TLS", program("gcc")},
	{"libssl's headers", "libssl-dev", "the same", installedPackage("libssl-dev")},
	{"perf", "linux-perf", "system calls a message", program("perf")},
}

func program(name string) func(context.Context) bool {
	return func(context.Context) bool {
		_, err := system.LookPath(name)
		return err == nil
	}
}

func installedPackage(name string) func(context.Context) bool {
	return func(ctx context.Context) bool {
		out, err := exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${Status}", name).Output()
		return err == nil && strings.HasSuffix(string(out), " installed")
	}
}

// runSetup tells what of Debian's is missing for a whole comparison, or installs it.
func runSetup(ctx context.Context, args []string, out io.Writer) (bool, error) {
	f := pflag.NewFlagSet("bench setup", pflag.ContinueOnError)
	f.SetOutput(out)
	install := f.Bool("install", false, "install what is missing, as root or by sudo")
	if err := f.Parse(args); err != nil {
		return false, err
	}
	if f.NArg() > 0 {
		return false, fmt.Errorf("%w: unexpected %q", errUsage, f.Arg(0))
	}
	var missing []string
	for _, t := range tools {
		state := "here"
		if !t.there(ctx) {
			state = "missing: package " + t.pkg
			missing = append(missing, t.pkg)
		}
		fmt.Fprintf(out, "  %-18s %-32s %s\n", t.name, state, t.what)
	}
	fmt.Fprintf(out, "  %-18s %-32s %s\n", "opensips", "not Debian's: see opensips.org", "compared with if it is on the PATH")
	if len(missing) == 0 {
		return true, nil
	}
	command := append([]string{"apt-get", "install", "--yes", "--no-install-recommends"}, missing...)
	if !*install {
		fmt.Fprintf(out, "to install: %s\n", strings.Join(command, " "))
		return false, nil
	}
	return true, apt(ctx, out, []string{"apt-get", "update"}, command)
}

func apt(ctx context.Context, out io.Writer, commands ...[]string) error {
	for _, c := range commands {
		if os.Getuid() != 0 {
			c = append([]string{"sudo"}, c...)
		}
		cmd := exec.CommandContext(ctx, c[0], c[1:]...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(c, " "), err)
		}
	}
	return nil
}
