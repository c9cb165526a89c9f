package regular

import (
	"errors"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

var (
	errUnwritable = errors.New("is the kernel's: no files can be made in it")
	errNoFolder   = errors.New("is no folder")
)

// Writable tells why this process cannot make files in a folder, without trying; nil: it
// can, as far as that shows. The error is a *fs.PathError.
func Writable(dir string) error {
	fail := func(err error) error { return &fs.PathError{Op: "folder", Path: dir, Err: err} }
	var s unix.Stat_t
	if err := unix.Stat(dir, &s); err != nil {
		return fail(err)
	}
	if s.Mode&unix.S_IFMT != unix.S_IFDIR {
		return fail(errNoFolder)
	}
	var of unix.Statfs_t
	if err := unix.Statfs(dir, &of); err != nil {
		return fail(err)
	}
	switch of.Type {
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC:
		return fail(errUnwritable)
	}
	if err := unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return fail(err)
	}
	return nil
}

// WritableFile tells why this process cannot write to a file, or make it, without trying.
func WritableFile(path string) error {
	var s unix.Stat_t
	switch err := unix.Stat(path, &s); {
	case errors.Is(err, unix.ENOENT):
		return Writable(filepath.Dir(path))
	case err != nil:
		return &fs.PathError{Op: "open", Path: path, Err: err}
	case s.Mode&unix.S_IFMT == unix.S_IFDIR:
		return wrong(path, ErrFolder)
	}
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.W_OK, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return nil
}
