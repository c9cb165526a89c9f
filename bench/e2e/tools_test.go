package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"testing"

	"sipreactor/bench/process"
	"sipreactor/reactor/ports"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	if os.Getenv("SIPREACTOR_E2E") == "off" {
		os.Stdout.WriteString("skipped: SIPREACTOR_E2E=off\n")
		return
	}
	os.Exit(process.RunWith(m, "sipreactor/cmd/sipreactor", &binary))
}

// tool finds a program. The test is skipped without it, or fails when everything is required.
func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	return process.Tool(t, name, pkg, os.Getenv("SIPREACTOR_E2E") == "require")
}

// freePort gives a loopback port on which nobody listened just now.
func freePort(t *testing.T) string {
	t.Helper()
	port, err := ports.Unused()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// output runs a program to its end.
func output(ctx context.Context, name string, args ...string) string {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // sipp -v exits 99
	return out.String()
}
