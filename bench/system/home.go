package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"sipreactor/cmd/sipreactor/load"
	"sipreactor/reactor/ports"
)

// Home is where a comparison keeps what it builds and writes.
type Home struct {
	Dir  string // made by NewHome, removed by Close
	Root string // of the repository
	CA   *load.Authority
}

// NewHome makes the directory and a certificate authority, and finds the repository from the working directory.
func NewHome(ctx context.Context) (*Home, error) {
	dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "sipreactor").Output()
	root := strings.TrimSpace(string(dir))
	if err != nil || root == "" {
		return nil, errors.New("system: run this from within the repository of sipreactor")
	}
	ca, err := load.NewAuthority()
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "sipreactor-bench-")
	if err != nil {
		return nil, err
	}
	return &Home{Dir: scratch, Root: root, CA: ca}, nil
}

// Close removes the directory.
func (h *Home) Close() { _ = os.RemoveAll(h.Dir) }

// Certificates makes a directory with ca.pem and the files of edge and peer, for keys of a kind.
func (h *Home) Certificates(key string) (dir string, err error) {
	if dir, err = os.MkdirTemp(h.Dir, "run-"); err != nil {
		return "", err
	}
	for name, kind := range map[string]string{"edge": key, "peer": "ecdsa"} {
		if err := h.CA.Write(dir, name, kind, "127.0.0.1", "localhost"); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// build compiles a program of a module below the repository's root.
func (h *Home) build(ctx context.Context, name, module, pkg string, flags ...string) (path string, err error) {
	path = filepath.Join(h.Dir, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build"}, flags...), "-o", path, pkg)...)
	cmd.Dir = filepath.Join(h.Root, module)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w: %s", pkg, err, firstLines(string(out), 3))
	}
	return path, nil
}

// LookPath finds a program, in the administrator's directories too.
func LookPath(name string) (string, error) {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 && !info.IsDir() {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s on the PATH", name)
}

var versionNumber = regexp.MustCompile(`\d+\.\d+(\.\d+)?\S*`)

// installed finds a program of somebody else's and asks for its version.
func installed(name string, flag string) func(context.Context, *Home) (string, string, error) {
	return func(ctx context.Context, _ *Home) (string, string, error) {
		path, err := LookPath(name)
		if err != nil {
			return "", "", err
		}
		out, _ := exec.CommandContext(ctx, path, flag).CombinedOutput() // some exit 1 having told
		return path, versionNumber.FindString(string(out)), nil
	}
}

// UnusedAddr is a loopback address on which nobody listens.
func UnusedAddr() (string, error) { return ports.Address() }

func firstLines(text string, n int) string {
	lines := strings.SplitN(strings.TrimSpace(text), "\n", n+1)
	return strings.Join(lines[:min(len(lines), n)], "; ")
}

// revision names the repository's commit, "" outside of git.
func revision(ctx context.Context, h *Home) string {
	cmd := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty")
	cmd.Dir = h.Root
	out, _ := cmd.Output()
	return strings.TrimSpace(string(out))
}

// moduleVersion is the version of a library that a module of the repository requires.
func moduleVersion(ctx context.Context, h *Home, module, library string) string {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", library)
	cmd.Dir = filepath.Join(h.Root, module)
	out, _ := cmd.Output()
	return strings.TrimSpace(string(out))
}
