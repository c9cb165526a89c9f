package proxy

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

const (
	minSecret = 32   // bytes of text
	maxSecret = 4096 // what is longer is another file
)

// ReadSecret reads a file for Config.Key: 32 bytes of text or more, whatever they
// are; white space at the ends does not count. Nodes that have the same file send on
// each other's responses. The error names the file: it is too short, no plain file, or
// one that others than its owner and group can read, or than its owner can write.
func ReadSecret(path string) (*[32]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // a FIFO would hang
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no plain file", path)
	case info.Mode().Perm()&0o027 != 0:
		return nil, fmt.Errorf("%s has mode %#o: it must be 0600, or 0640", path, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSecret {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxSecret)
	}
	key, err := SecretKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// SecretKey makes a Config.Key of a secret's text: 32 bytes or more, white space at
// the ends not counted.
func SecretKey(text []byte) (*[32]byte, error) {
	text = bytes.TrimSpace(text)
	if len(text) < minSecret {
		return nil, fmt.Errorf("a secret has %d bytes or more, and this one %d", minSecret, len(text))
	}
	key := sha256.Sum256(text)
	return &key, nil
}
