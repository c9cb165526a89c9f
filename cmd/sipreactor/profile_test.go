package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestProfile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cpu.pprof")
	stop, err := startProfile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := startProfile(file + "2"); err == nil {
		t.Error("two profiles at once")
	}
	stop()
	got, err := os.ReadFile(file)
	if err != nil || !bytes.HasPrefix(got, []byte{0x1f, 0x8b}) { // pprof's format is gzipped
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := startProfile(filepath.Join(t.TempDir(), "absent", "cpu.pprof")); err == nil {
		t.Error("a directory that is not there is no error")
	}
	if stop, err := startProfile(""); err != nil {
		t.Error(err)
	} else {
		stop()
	}
}
