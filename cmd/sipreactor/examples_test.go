package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sipreactor/cmd/sipreactor/load"
	"sipreactor/reactor"
)

// exampleConfig is the example configuration with its certificates in a directory of the test.
func exampleConfig(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("examples/opensips.cfg")
	if err != nil {
		t.Fatal(err)
	}
	ca, err := load.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := ca.Write(dir, "edge", "ecdsa", "edge.example.com"); err != nil {
		t.Fatal(err)
	}
	with := strings.NewReplacer("/etc/sipreactor", dir, "/etc/ssl/certs/ca-certificates.crt", filepath.Join(dir, "edge.pem"))
	return config(t, with.Replace(string(text)))
}

func TestExampleIsGood(t *testing.T) {
	path := exampleConfig(t)
	if code, out, errs := command(t, "-C", "-f", path); code != exitOK || !strings.Contains(out, path+": ok") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

// unit reads the assignments of a unit file, by name.
func unit(t *testing.T, name string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("examples", name))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			all[key] = append(all[key], value)
		}
	}
	return all
}

// The unit's sockets are those of the configuration, or the example would not start.
func TestExampleSocketsMatch(t *testing.T) {
	cfg, err := loader().Load(exampleConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, s := range cfg.Sockets {
		kind := "ListenStream"
		if s.Proto == reactor.UDP {
			kind = "ListenDatagram"
		}
		want = append(want, fmt.Sprintf("%s=%s:%d", kind, s.Host, s.Port))
	}
	socket := unit(t, "sipreactor.socket")
	for _, kind := range []string{"ListenStream", "ListenDatagram"} {
		for _, at := range socket[kind] {
			got = append(got, kind+"="+at)
		}
	}
	if slices.Sort(want); !slices.Equal(want, slices.Sorted(slices.Values(got))) {
		t.Errorf("sipreactor.socket has %v, the configuration %v", got, want)
	}
}

// What the unit runs is what the program understands.
func TestExampleUnitRuns(t *testing.T) {
	service := unit(t, "sipreactor.service")
	for _, key := range []string{"ExecStartPre", "ExecStart"} {
		line := strings.Fields(strings.Join(service[key], " "))
		if len(line) < 2 {
			t.Fatalf("%s=%v", key, service[key])
		}
		o, err := parse(line[1:], newOutput())
		if err != nil || o.file != "/etc/sipreactor/opensips.cfg" || o.check != (key == "ExecStartPre") {
			t.Errorf("%s: %+v, %v", key, o, err)
		}
	}
	if got := service["Type"]; !slices.Equal(got, []string{"notify"}) {
		t.Errorf("Type=%v", got)
	}
	if service["WatchdogSec"] == nil {
		t.Error("no watchdog")
	}
}
