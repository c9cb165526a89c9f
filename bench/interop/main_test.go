package interop

import (
	"os"
	"testing"

	"sipreactor/bench/process"
	"sipreactor/reactor/ports"
)

// program is the one under test, built once.
var program string

func TestMain(m *testing.M) {
	if os.Getenv("SIPREACTOR_INTEROP") == "off" {
		os.Stdout.WriteString("skipped: SIPREACTOR_INTEROP=off\n")
		return
	}
	os.Exit(process.RunWith(m, "sipreactor/cmd/sipreactor", &program))
}

// tool finds a program. The test is skipped without it, or fails when everything is required.
func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	return process.Tool(t, name, pkg, os.Getenv("SIPREACTOR_INTEROP") == "require")
}

// unusedPort is for programs that must be told one.
func unusedPort(t *testing.T) string {
	t.Helper()
	port, err := ports.Unused()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
