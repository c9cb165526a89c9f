// Package regular reads the files that a configuration names. Opening a FIFO
// waits for somebody who writes, and reading a device may never end: neither may
// hold up a start or a reload, so only regular files are read, and links to them.
package regular

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// What a name stands for that is no regular file.
var (
	ErrFolder     = errors.New("is a folder, not a file")
	ErrNotRegular = errors.New("not a regular file")
)

// Open opens a file for reading, without waiting. The error is a *fs.PathError, as
// os.Open's is; it wraps ErrFolder or ErrNotRegular when the file is there and of
// another kind. The caller closes the file. Any goroutine may call it.
func Open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, unix.ENXIO) { // a socket, or a device that is not there
		return nil, wrong(path, ErrNotRegular)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = wrong(path, ErrFolder)
	case !info.Mode().IsRegular():
		err = wrong(path, ErrNotRegular)
	default:
		return f, nil
	}
	_ = f.Close()
	return nil, err
}

// Read gives what a file holds. Its errors are Open's, and those of reading.
func Read(path string) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func wrong(path string, what error) error {
	return &fs.PathError{Op: "open", Path: path, Err: what}
}
