package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// RunWith is for TestMain: it builds a program of the module sipreactor, by its import path, and runs the tests with it.
// It builds in that module's folder: a module of its own that tests the program need not know what that imports.
func RunWith(m *testing.M, program string, binary *string) (code int) {
	dir, err := os.MkdirTemp("", "sipreactor-process-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	*binary = filepath.Join(dir, filepath.Base(program))
	build := exec.Command("go", "build", "-o", *binary, program)
	build.Stderr = os.Stderr
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sipreactor").Output()
	if err != nil {
		panic(err)
	}
	build.Dir = strings.TrimSpace(string(root))
	if build.Run() != nil {
		return 1
	}
	return m.Run()
}
