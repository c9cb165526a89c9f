package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asProgram is set for a child process of a test, which is the program itself.
const asProgram = "SIPREACTOR_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	state, err := os.MkdirTemp("", "sipreactor-test-state")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("STATE_DIRECTORY", state) // not this machine's
	code := m.Run()
	os.RemoveAll(state)
	for end := time.Now().Add(patience); code == 0; time.Sleep(10 * time.Millisecond) {
		// goleak alone looks for half a second: on a busy machine what the last test leaves may take longer.
		err := goleak.Find(
			// os/signal keeps one goroutine once it was used.
			goleak.IgnoreTopFunction("os/signal.signal_recv"), goleak.IgnoreTopFunction("os/signal.loop"),
			// The pool that gnet's dependency starts with the process, used or not.
			goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
			goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
			goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
		if err == nil {
			break
		}
		if time.Now().After(end) {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// command runs a command line to its end.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// config writes a configuration file.
func config(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "opensips.cfg")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHelpIsComplete(t *testing.T) {
	for _, flag := range []string{"-h", "--help"} {
		code, out, _ := command(t, flag)
		if code != exitOK {
			t.Errorf("%s: exit code %d", flag, code)
		}
		for _, want := range []string{"-f, --file", "-C, --check", "-V, --version", "-h, --help", "demo", "TERM", "HUP", "Exit codes"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s does not tell of %s:\n%s", flag, want, out)
			}
		}
	}
	code, out, _ := command(t, "demo", "--help")
	if code != exitOK {
		t.Errorf("demo --help: exit code %d", code)
	}
	for _, want := range []string{"--calls", "--duration", "--cert", "--rate"} {
		if !strings.Contains(out, want) {
			t.Errorf("demo --help does not tell of %s:\n%s", want, out)
		}
	}
}

func TestVersions(t *testing.T) {
	for _, flag := range []string{"-V", "--version"} {
		if code, out, _ := command(t, flag); code != exitOK || !strings.HasPrefix(out, "sipreactor ") || !strings.Contains(out, "go1.") ||
			!strings.Contains(out, "\nTLS: crypto/tls of go1.") {
			t.Errorf("%s: exit code %d, %q", flag, code, out)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{
		{"-x"}, {"--nothing"}, {"extra"}, {"-f"}, {"-f", ""}, {"-C", "-f", "a", "b"},
		{"demo", "-x"}, {"demo", "extra"}, {"demo", "--cert", "dsa"}, {"demo", "--calls", "-1"}, {"demo", "--duration", "0s"}, {"demo", "--rate", "x"},
	} {
		if code, _, errs := command(t, args...); code != exitUsage || !strings.Contains(errs, "--help") {
			t.Errorf("%v: exit code %d, %q", args, code, errs)
		}
	}
}

func TestCheck(t *testing.T) {
	good := config(t, "socket=udp:127.0.0.1:5060\nloadmodule \"proto_udp.so\"\nroute { exit; }\n")
	if code, out, errs := command(t, "-C", "-f", good); code != exitOK || !strings.Contains(out, good+": ok") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	if code, out, _ := command(t, "-C"); code != exitOK || !strings.Contains(out, builtIn+": ok") {
		t.Errorf("built-in: exit code %d: %s", code, out)
	}
	bad := config(t, "socket=udp:127.0.0.1:5060\nloadmodule \"proto_udp.so\"\nroute {\n\tno_such_function();\n}\n")
	for _, args := range [][]string{{"-C", "-f", bad}, {"-f", bad}} {
		if code, _, errs := command(t, args...); code != exitFailed || !strings.Contains(errs, bad+":4:") {
			t.Errorf("%v: exit code %d: %s", args, code, errs)
		}
	}
	missing := filepath.Join(t.TempDir(), "missing.cfg")
	if code, _, errs := command(t, "-C", "-f", missing); code != exitFailed || !strings.Contains(errs, missing) {
		t.Errorf("missing file: exit code %d: %s", code, errs)
	}
}

func TestCheckReadsCertificates(t *testing.T) {
	path := config(t, `socket=tls:127.0.0.1:5061
loadmodule "proto_tls.so"
loadmodule "tls_mgm.so"
modparam("tls_mgm", "server_domain", "edge")
modparam("tls_mgm", "certificate", "[edge]/nonexistent/edge.pem")
modparam("tls_mgm", "private_key", "[edge]/nonexistent/edge.key")
route { exit; }
`)
	code, _, errs := command(t, "-C", "-f", path)
	if code != exitFailed || !strings.Contains(errs, "edge") || !strings.Contains(errs, "/nonexistent/edge.pem") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
