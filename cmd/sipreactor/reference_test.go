package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"sipreactor/reactor/script"
)

// Whatever a configuration can ask of a module is documented.
func TestEverythingIsDocumented(t *testing.T) {
	names := make(map[string]bool)
	for _, m := range script.Reference(modules) {
		if names[m.Name] {
			t.Errorf("the module %s is listed twice", m.Name)
		}
		names[m.Name] = true
		for _, lacking := range m.Undocumented() {
			t.Errorf("module %s: %s has no help", m.Name, lacking)
		}
	}
}

func TestReference(t *testing.T) {
	for _, tt := range []struct {
		args     []string
		code     int
		out, err string
	}{
		{[]string{"-H", "maxfwd"}, exitOK, "max_limit = a number from 1 to 256 (hops; 256 is no limit); default 256", ""},
		{[]string{"-H", "maxfwd.so"}, exitOK, "mf_process_maxfwd_header(limit)\n", ""},
		{[]string{"-H", "cfgutils"}, exitOK, "  Not supported\n    parameter varset\n", ""},
		{[]string{"-H"}, exitOK, "sl_send_reply(code, \"reason\")", ""},
		{[]string{"-H", "nosuch"}, exitFailed, "", "there is no module nosuch; there are "},
		{[]string{"-H", "sl", "maxfwd"}, exitUsage, "", "unexpected argument"},
	} {
		var out, err bytes.Buffer
		code := run(context.Background(), tt.args, &out, &err)
		if code != tt.code || !strings.Contains(out.String(), tt.out) || !strings.Contains(err.String(), tt.err) {
			t.Errorf("%v: %d\n%s\n%s", tt.args, code, out.String(), err.String())
		}
	}
}
