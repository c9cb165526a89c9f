package mi

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"sipreactor/tlsstate/regular"
)

// Check tells why the FIFO cannot be made, as far as that shows without making it, or
// that answers have no folder.
func (c *FIFOConfig) Check() error {
	info, err := os.Lstat(c.Name)
	switch {
	case err != nil:
		err = regular.Writable(filepath.Dir(c.Name))
	case info.Mode()&fs.ModeNamedPipe == 0:
		err = fmt.Errorf("%s is there and is no FIFO", c.Name)
	}
	if err == nil {
		_, _, err = owners(c.User, c.Group)
	}
	if err == nil && c.ReplyDir != "" {
		if info, bad := os.Stat(c.ReplyDir); bad != nil {
			err = fmt.Errorf("the folder of answers: %w", bad)
		} else if !info.IsDir() {
			err = fmt.Errorf("%s, where answers go, is no folder", c.ReplyDir)
		}
	}
	if err != nil {
		return fmt.Errorf("mi: %w", err)
	}
	return nil
}

// create makes the FIFO and opens it for reading. It is opened for writing as
// well, so that it has no end when a writer leaves.
func (f *FIFO) create() (*os.File, error) {
	name := f.cfg.Name
	if err := f.cfg.Check(); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(name); err == nil {
		fd, err := unix.Open(name, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err == nil {
			_ = unix.Close(fd)
			return nil, fmt.Errorf("mi: FIFO %s is in use by another program", name)
		}
		if err := os.Remove(name); err != nil {
			return nil, fmt.Errorf("mi: %w", err)
		}
	}
	if err := unix.Mkfifo(name, 0o600); err != nil {
		return nil, fmt.Errorf("mi: cannot make FIFO %s: %w", name, err)
	}
	file, err := f.adopt()
	if err != nil {
		_ = os.Remove(name)
		return nil, fmt.Errorf("mi: FIFO %s: %w", name, err)
	}
	return file, nil
}

// adopt opens the new FIFO and gives it its owner and mode.
func (f *FIFO) adopt() (*os.File, error) {
	uid, gid, err := owners(f.cfg.User, f.cfg.Group)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(f.cfg.Name, os.O_RDWR|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	if uid >= 0 || gid >= 0 {
		err = file.Chown(uid, gid)
	}
	if err == nil {
		err = file.Chmod(f.cfg.Mode.Perm())
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// owners finds the numbers of a user and a group; -1 = unchanged.
func owners(name, group string) (uid, gid int, err error) {
	uid, gid = -1, -1
	if name != "" {
		if uid, err = strconv.Atoi(name); err != nil {
			u, err := user.Lookup(name)
			if err != nil {
				return 0, 0, err
			}
			uid, _ = strconv.Atoi(u.Uid)
		}
	}
	if group != "" {
		if gid, err = strconv.Atoi(group); err != nil {
			g, err := user.LookupGroup(group)
			if err != nil {
				return 0, 0, err
			}
			gid, _ = strconv.Atoi(g.Gid)
		}
	}
	return uid, gid, nil
}
