package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tool finds a program, in the administrator's directories too. Without it the test is skipped, or fails when it is
// required; pkg is the Debian package that the message names.
func Tool(t testing.TB, name, pkg string, required bool) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 && !info.IsDir() {
			return path
		}
	}
	if required {
		t.Fatalf("%s is not installed (Debian: apt-get install %s)", name, pkg)
	}
	t.Skipf("%s is not installed (Debian: apt-get install %s)", name, pkg)
	return ""
}

// RunWith is for TestMain: it builds a program of this module, by its import path, and runs the tests with it.
func RunWith(m *testing.M, program string, binary *string) (code int) {
	dir, err := os.MkdirTemp("", "sipreactor-process-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	*binary = filepath.Join(dir, filepath.Base(program))
	build := exec.Command("go", "build", "-o", *binary, program)
	build.Stderr = os.Stderr
	if build.Run() != nil {
		return 1
	}
	return m.Run()
}
