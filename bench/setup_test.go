package main

import (
	"context"
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

func TestToolsAreLookedUp(t *testing.T) {
	if !program("sh")(t.Context()) || program("no-such-program")(t.Context()) || installedPackage("no-such-package")(t.Context()) {
		t.Error("a shell is everywhere, and the others are nowhere")
	}
}
