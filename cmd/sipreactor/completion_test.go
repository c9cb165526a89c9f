package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// completed gives what the last word may become.
func completed(t *testing.T, words ...string) []string {
	t.Helper()
	code, out, errs := command(t, append([]string{"__complete"}, words...)...)
	if code != exitOK || errs != "" {
		t.Fatalf("%q: exit code %d, %s", words, code, errs)
	}
	return strings.Fields(out)
}

func TestCompleteWords(t *testing.T) {
	nobody := "--to=" + t.TempDir() + "/nobody"
	for _, c := range []struct {
		words string
		want  string
	}{
		{"", "completion db demo example mi"},
		{"d", "db demo"},
		{"db m", "migrate"},
		{"--c", "--check --cpuprofile"},
		{"completion ", "bash fish zsh"},
		{"completion z", "zsh"},
		{"demo --d", "--duration"},
		{"mi " + nobody + " tls_r", "tls_reload"},
		{"mi " + nobody + " --json list_", "list_sockets list_statistics list_tcp_conns"},
		{"mi " + nobody + " help up", "uptime"},
		{"mi " + nobody + " uptime ", ""},
		{"mi --t", "--to --token --token-file"},
		{"mi --to ", ""},
		{"nothing ", ""},
	} {
		if got := strings.Join(completed(t, strings.Split(c.words, " ")...), " "); got != c.want {
			t.Errorf("%q: %q, want %q", c.words, got, c.want)
		}
	}
}

// A running instance is asked for its commands; those that are completed without one are among them.
func TestCompleteAsksTheInstance(t *testing.T) {
	r, fifo, web := managed(t)
	for _, to := range []string{fifo, web + "/mi"} {
		names := completed(t, "mi", "--reply-dir="+filepath.Dir(fifo), "--to", to, "")
		if !slices.Contains(names, "conn_details") {
			t.Errorf("from %s: %q", to, names)
		}
		for _, name := range usualCommands {
			if !slices.Contains(names, name) {
				t.Errorf("%s is completed, and no command", name)
			}
		}
	}
	command(t, "mi", "--to", web+"/mi", "kill")
	r.exit(t)
}

func TestCompletionScripts(t *testing.T) {
	if code, _, errs := command(t, "completion", "tcsh"); code != exitUsage || !strings.Contains(errs, "bash|zsh|fish") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	code, script, _ := command(t, "completion", "bash")
	if code != exitOK {
		t.Fatal(code)
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	// The program's part is played by a function that tells what it was asked.
	out, err := exec.Command(bash, "-c", script+`
sipreactor() { echo "$(printf '%s ' "$@")"; echo "second candidate"; }
COMP_WORDS=(sipreactor mi help li) COMP_CWORD=3
_sipreactor
printf '%s|' "${COMPREPLY[@]}"`).CombinedOutput()
	if want := "__complete mi help li |second candidate|"; err != nil || string(out) != want {
		t.Errorf("%q, %v", out, err)
	}
	for _, shell := range []string{"zsh", "fish"} {
		if code, text, _ := command(t, "completion", shell); code != exitOK || !strings.Contains(text, "sipreactor __complete") {
			t.Errorf("%s: exit code %d, %s", shell, code, text)
		}
	}
}
