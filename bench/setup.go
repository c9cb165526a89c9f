package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

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
	{"kamailio's tls.so", "kamailio-tls-modules", "its TLS", kamailioTLS},
	{"sipp", "sip-tester", "the loads sipp-*", program("sipp")},
	{"gcc", "gcc", "sipreactor-libcrypto and sipreactor-libssl", program("gcc")},
	{"libc's headers", "libc6-dev", "the same", headers("stdlib.h")},
	{"libssl's headers", "libssl-dev", "the same", headers("openssl/ssl.h")},
	{"perf", "linux-perf", "system calls a message", program("perf")},
	{"strace", "strace", "the same, where perf may not count", program("strace")},
	{"git", "git", "the version of sipreactor in the report", program("git")},
}

func program(name string) func(context.Context) bool {
	return func(context.Context) bool {
		_, err := system.LookPath(name)
		return err == nil
	}
}

func kamailioTLS(context.Context) bool {
	path, err := system.LookPath("kamailio")
	if err != nil {
		return false
	}
	_, err = os.Stat(filepath.Join(system.KamailioModules(path), "tls.so"))
	return err == nil
}

// headers asks the compiler, which may look elsewhere than in /usr/include.
func headers(file string) func(context.Context) bool {
	return func(ctx context.Context) bool {
		cmd := exec.CommandContext(ctx, "gcc", "-E", "-x", "c", "-")
		cmd.Stdin = strings.NewReader("#include <" + file + ">\n")
		return cmd.Run() == nil
	}
}

// openFiles is how many the load with the most connections needs, of the system and of the loader each.
const openFiles = 15000 + 1000

// limits tells what of the system's limits is too low, "" if nothing is.
func limits(hard uint64) string {
	if hard >= openFiles {
		return ""
	}
	return fmt.Sprintf("the hard limit of open files is %d: idle-15000 needs %d (ulimit -Hn, LimitNOFILE=)", hard, openFiles)
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
	missing := lookFor(ctx, out)
	state := "missing: not Debian's, see opensips.org"
	if program("opensips")(ctx) {
		state = "here"
	}
	fmt.Fprintf(out, "  %-18s %-40s %s\n", "opensips", state, "compared with if it is on the PATH")
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return false, err
	}
	if low := limits(files.Max); low != "" {
		fmt.Fprintln(out, low)
	}
	if len(missing) == 0 {
		return true, nil
	}
	command := append([]string{"apt-get", "install", "--yes", "--no-install-recommends"}, missing...)
	if !*install {
		fmt.Fprintf(out, "to install: %s\nWithout them the comparison leaves out what needs them, and says so.\n", strings.Join(command, " "))
		return false, nil
	}
	if _, err := system.LookPath("apt-get"); err != nil {
		return false, fmt.Errorf("%w: on another system than Debian these have to be installed by its own means", err)
	}
	if err := apt(ctx, out, []string{"apt-get", "update"}, command); err != nil {
		return false, err
	}
	if missing = lookFor(ctx, out); len(missing) > 0 {
		return false, fmt.Errorf("installed, and yet not found: %s", strings.Join(missing, " "))
	}
	return true, nil
}

// lookFor tells what is here and what is missing, and returns the packages of the latter.
func lookFor(ctx context.Context, out io.Writer) (missing []string) {
	for _, t := range tools {
		state := "here"
		if !t.there(ctx) {
			state = "missing: package " + t.pkg
			missing = append(missing, t.pkg)
		}
		fmt.Fprintf(out, "  %-18s %-40s %s\n", t.name, state, t.what)
	}
	return missing
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
