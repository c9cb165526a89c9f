package tlsstate

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// OpenKeyLog opens a file for Config.KeyLog that nobody else can read: a new one
// of mode 0600, or one that is there, is ours alone and has that mode, and is
// appended to. A key log that others can read, or may have open, is put aside as
// path.old and made anew. Links are not followed, and what is no key log is not
// touched: errors. The caller closes the file when no set writes to it any more.
func OpenKeyLog(path string) (*os.File, error) {
	for range 3 { // somebody may make it at the same time
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
		f, err = os.OpenFile(path, os.O_RDWR|os.O_APPEND|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, unix.ELOOP):
			return nil, fmt.Errorf("key log %s: is a link, which is not followed", path)
		case err != nil:
			return nil, fmt.Errorf("key log %w", err)
		}
		private, err := inspectKeyLog(f)
		if private {
			return f, nil
		}
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("key log %s: %w", path, err)
		}
		aside := path + "." + rand.Text() // a name that nobody has laid out
		if err := os.Rename(path, aside); err != nil {
			return nil, fmt.Errorf("key log: %w", err)
		}
		if err := os.Rename(aside, path+".old"); err != nil {
			return nil, fmt.Errorf("key log: %w", err)
		}
	}
	return nil, fmt.Errorf("key log %s: comes and goes", path)
}

// inspectKeyLog reports whether nobody but us can read a file that is there. An
// error says why it is none to be replaced.
func inspectKeyLog(f *os.File) (private bool, err error) {
	var s unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &s); err != nil {
		return false, err
	}
	switch {
	case s.Mode&unix.S_IFMT != unix.S_IFREG:
		return false, errors.New("is no regular file")
	case !looksLikeKeyLog(f):
		return false, errors.New("is there and is no key log")
	}
	return int(s.Uid) == os.Geteuid() && s.Mode&0o077 == 0 && s.Nlink == 1, nil
}

// looksLikeKeyLog reports whether a file is empty, or begins with a remark or a
// line of a key log: a label in capitals and two numbers in hexadecimal.
func looksLikeKeyLog(f *os.File) bool {
	line, _ := bufio.NewReaderSize(f, 512).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
		return true
	}
	part := strings.Fields(line)
	return len(part) == 3 && strings.Trim(part[0], "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == "" &&
		strings.Trim(part[1]+part[2], "0123456789abcdefABCDEF") == ""
}
