package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"sipreactor/tlsstate/regular"
)

// stateDir is the folder of what outlives the program: secrets that it makes at its first start. It is 0700 when it is
// made, and its files 0600.
type stateDir string

// defaultStateDir is where state_dir is when the configuration does not say: what systemd has made for the unit,
// /var/lib/sipreactor for root, a folder of the user's for others; "" when there is none of these.
func defaultStateDir() stateDir {
	if made, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":"); made != "" {
		return stateDir(made)
	}
	if os.Geteuid() == 0 {
		return "/var/lib/sipreactor"
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return stateDir(filepath.Join(dir, "sipreactor"))
	}
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
		return stateDir(filepath.Join(home, ".local", "state", "sipreactor"))
	}
	return ""
}

// path is where a file of the folder is.
func (d stateDir) path(name string) string { return filepath.Join(string(d), name) }

// check tells why the folder cannot be used, without making it. One that others can write to is an error: what they put
// there is not to be believed.
func (d stateDir) check() error {
	if d == "" {
		return errors.New("state_dir is not set, and there is no home directory to choose one in")
	}
	var s unix.Stat_t
	err := unix.Stat(string(d), &s)
	if errors.Is(err, unix.ENOENT) {
		above := filepath.Dir(string(d))
		for ; errors.Is(unix.Stat(above, &s), unix.ENOENT) && above != filepath.Dir(above); above = filepath.Dir(above) {
		}
		if err := regular.Writable(above); err != nil {
			return fmt.Errorf("state_dir %s cannot be made: %w", string(d), err)
		}
		return nil
	}
	switch {
	case err != nil:
		return fmt.Errorf("state_dir %s: %w", string(d), err)
	case s.Mode&unix.S_IFMT != unix.S_IFDIR:
		return fmt.Errorf("state_dir %s: is no folder", string(d))
	case int(s.Uid) != os.Geteuid() && s.Uid != 0:
		return fmt.Errorf("state_dir %s: belongs to another user (%d)", string(d), s.Uid)
	case s.Mode&0o022 != 0:
		return fmt.Errorf("state_dir %s: others can write to it (mode %04o); chmod go-w", string(d), s.Mode&0o7777)
	}
	if err := regular.Writable(string(d)); err != nil {
		return fmt.Errorf("state_dir: %w", err)
	}
	return nil
}

// prepare makes the folder if it is not there.
func (d stateDir) prepare() error {
	if err := d.check(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(string(d)), 0o755); err != nil {
		return fmt.Errorf("state_dir: %w", err)
	}
	if err := os.Mkdir(string(d), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("state_dir: %w", err)
	}
	return d.check() // somebody else may have made it meanwhile
}

// secret gives the random text of a file, 256 bits in hexadecimal, and makes it where it is missing. Several programs
// that begin at once get the same one.
func (d stateDir) secret(name string) (string, error) {
	if err := d.prepare(); err != nil {
		return "", err
	}
	text, err := readSecret(d.path(name))
	if !errors.Is(err, os.ErrNotExist) {
		return text, err
	}
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	// The file takes its name when it is whole, and never another's place.
	whole := d.path("." + name + "." + rand.Text())
	f, err := os.OpenFile(whole, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return "", fmt.Errorf("state_dir: %w", err)
	}
	defer func() { _ = os.Remove(whole) }()
	_, err = fmt.Fprintf(f, "%x\n", b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("state_dir: %w", err)
	}
	if err := os.Link(whole, d.path(name)); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("state_dir: %w", err)
	}
	return readSecret(d.path(name))
}

// secretLimit bounds what is read of a secret.
const secretLimit = 4 << 10

// readSecret reads a secret that only its owner can read: ours or root's, and no link.
func readSecret(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return "", fmt.Errorf("%s: is a link, which is not followed", path)
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	var s unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &s); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case s.Mode&unix.S_IFMT != unix.S_IFREG:
		return "", fmt.Errorf("%s: is no file", path)
	case int(s.Uid) != os.Geteuid() && s.Uid != 0 && os.Geteuid() != 0: // root asks other users' programs
		return "", fmt.Errorf("%s: belongs to another user (%d)", path, s.Uid)
	case s.Mode&0o077 != 0:
		return "", fmt.Errorf("%s: others can read it (mode %04o); remove it, and another one is made", path, s.Mode&0o7777)
	}
	text, err := io.ReadAll(io.LimitReader(f, secretLimit))
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return "", fmt.Errorf("%s: is empty; remove it, and another one is made", path)
	}
	return string(text), nil
}
