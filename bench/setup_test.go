package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSetupTellsWhatIsMissing(t *testing.T) {
	before := tools
	t.Cleanup(func() { tools = before })
	there := func(is bool) func(context.Context) bool { return func(context.Context) bool { return is } }
	tools = []tool{{"first", "package-a", "for this", there(true)}, {"second", "package-b", "for that", there(false)}}
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"setup"}, &out, &errs); code != 1 {
		t.Errorf("exit code %d: %s", code, &errs)
	}
	text := out.String()
	if !strings.Contains(text, "apt-get install --yes --no-install-recommends package-b\n") || !strings.Contains(text, "second") {
		t.Error(text)
	}
	tools = tools[:1]
	if code := run(t.Context(), []string{"setup"}, &out, &errs); code != 0 {
		t.Errorf("exit code %d: %s", code, &errs)
	}
}

// TestSetupInstalls runs apt-get, here one that does nothing, and looks again.
func TestSetupInstalls(t *testing.T) {
	before := tools
	t.Cleanup(func() { tools = before })
	dir := t.TempDir()
	done := filepath.Join(dir, "done")
	t.Setenv("PATH", dir)
	for _, name := range []string{"apt-get", "sudo"} {
		script := "#!/bin/sh\necho " + name + " \"$@\"\nset -e\n"
		if name == "sudo" {
			script += "exec \"$@\"\n"
		} else {
			script += "[ \"$1\" = update ] || : > " + done + "\n"
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	tools = []tool{{"second", "package-b", "for that", func(context.Context) bool { _, err := os.Stat(done); return err == nil }}}
	missing := tool{"third", "package-c", "for more", func(context.Context) bool { return false }}
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"setup", "--install"}, &out, &errs); code != 0 || !strings.Contains(out.String(), "apt-get install --yes --no-install-recommends package-b\n") {
		t.Errorf("exit code %d: %s%s", code, &out, &errs)
	}
	tools = append(tools, missing)
	if code := run(t.Context(), []string{"setup", "--install"}, &out, &errs); code != 2 || !strings.Contains(errs.String(), "not found: package-c") {
		t.Errorf("exit code %d: %s%s", code, &out, &errs)
	}
	if err := os.Remove(filepath.Join(dir, "apt-get")); err != nil {
		t.Fatal(err)
	}
	errs.Reset()
	if code := run(t.Context(), []string{"setup", "--install"}, &out, &errs); code != 2 || !strings.Contains(errs.String(), "no apt-get") {
		t.Errorf("exit code %d: %s%s", code, &out, &errs)
	}
}

func TestLimits(t *testing.T) {
	if low := limits(1024); !strings.Contains(low, "is 1024: idle-15000 needs 16000") {
		t.Error(low)
	}
	if low := limits(1 << 20); low != "" {
		t.Error(low)
	}
}

func TestToolsAreLookedUp(t *testing.T) {
	if !program("sh")(t.Context()) || program("no-such-program")(t.Context()) {
		t.Error("a shell is everywhere, and the other is nowhere")
	}
	t.Setenv("PATH", t.TempDir())
	if headers("stdlib.h")(t.Context()) {
		t.Error("headers without a compiler")
	}
}
