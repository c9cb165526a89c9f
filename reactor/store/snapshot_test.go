package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// rows is a source that a test has in its hand.
type rows struct {
	mu      sync.Mutex // for who changes it beside a Load
	columns []string
	values  [][]Value
	err     error
}

func (s *rows) Load(_ context.Context, q Select, each func(*Row) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	r := Row{table: q.Table, columns: s.columns, key: q.keyIndex(s.columns)}
	for _, v := range s.values {
		r.values = v
		r.next()
		if err := each(&r); err != nil {
			return err
		}
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

func makeMap(ctx context.Context, s Source) (*map[int64]string, error) {
	m := make(map[int64]string)
	err := s.Load(ctx, Select{Table: "t", Columns: []string{"id", "name"}, Where: []Cond{Equal("on", Int(1))}}, func(r *Row) error {
		m[r.Int(0)] = r.Text(1)
		if r.IsNull(1) {
			m[r.Int(0)] = "NULL"
		}
		return nil
	})
	return &m, err
}

var errAway = fmt.Errorf("%w: no answer", ErrDown)

func TestSnapshotAllOrNothing(t *testing.T) {
	src := &rows{columns: []string{"id", "name"}, values: [][]Value{{Int(1), String("a")}}}
	s := Snapshot[map[int64]string]{Source: src, Make: makeMap}
	if s.Get() != nil {
		t.Error("a value before Start")
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	was := s.Get()
	src.values = append(src.values, []Value{String("x"), String("b")})
	if err := s.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), `id=x, column id: "x" is no number`) {
		t.Errorf("a bad row: %v", err)
	}
	if s.Get() != was {
		t.Error("half of a reload is used")
	}
	src.err = errAway
	if err := s.Reload(t.Context()); !errors.Is(err, ErrDown) || s.Get() != was || s.Stale() {
		t.Errorf("away: %v", err)
	}
}

func TestSnapshotCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.cache")
	src := &rows{columns: []string{"id", "name"}, values: [][]Value{
		{Int(1), String("a:b\n\\")}, {Int(2), String("")}, {Int(3), Null}, {Int(4), String("7")}, {String("5"), String("@x=")},
	}}
	s := Snapshot[map[int64]string]{Source: src, Make: makeMap, Cache: file}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	// A reload that fails leaves the file.
	src.values = append(src.values, []Value{String("x"), Null})
	if err := s.Reload(t.Context()); err == nil {
		t.Error("a bad row is taken")
	}
	if _, err := os.Stat(file + ".new"); err == nil {
		t.Error("a file is left")
	}
	src.values = src.values[:5]

	next := Snapshot[map[int64]string]{Source: &rows{err: errAway}, Make: makeMap, Cache: file}
	if err := next.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !next.Stale() || !maps.Equal(*next.Get(), *s.Get()) {
		t.Errorf("stale %v, %v, want %v", next.Stale(), *next.Get(), *s.Get())
	}
	// What is wrong and not away is an error.
	wrong := Snapshot[map[int64]string]{Source: &rows{err: &VersionError{Table: "t", Wanted: 2, Found: 1}}, Make: makeMap, Cache: file}
	if err := wrong.Start(t.Context()); err == nil || wrong.Get() != nil {
		t.Errorf("another version: %v", err)
	}
}

func TestSnapshotCacheErrors(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	s := Snapshot[map[int64]string]{Source: &rows{columns: []string{"id", "name"}, values: [][]Value{{Int(1), String("a")}}}, Make: makeMap, Cache: good}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"cut":     {string(text[:len(text)-3]), 0o600, "cut short"},
		"foreign": {"hello\n", 0o600, "no state"},
		"open":    {string(text), 0o666, "others can write"},
		"other":   {strings.Replace(string(text), `"name"`, `"names"`, 1), 0o600, "no table t as it is asked for"},
		"kind":    {strings.Replace(string(text), "i1:", ":", 1), 0o600, "no kind"},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, c.mode); err != nil {
			t.Fatal(err)
		}
		s := Snapshot[map[int64]string]{Source: &rows{err: errAway}, Make: makeMap, Cache: file}
		if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, ErrDown) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	none := Snapshot[map[int64]string]{Source: &rows{err: errAway}, Make: makeMap, Cache: filepath.Join(dir, "none")}
	if err := none.Start(t.Context()); !errors.Is(err, ErrDown) {
		t.Errorf("no file: %v", err)
	}
}

func TestSnapshotRecover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "t.cache")
		src := &rows{columns: []string{"id", "name"}, values: [][]Value{{Int(1), String("a")}}}
		first := Snapshot[map[int64]string]{Source: src, Make: makeMap, Cache: file}
		if err := first.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		src.err = errAway
		s := Snapshot[map[int64]string]{Source: src, Make: makeMap, Cache: file}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { s.Recover(t.Context()); close(done) }()
		time.Sleep(2 * time.Minute)
		src.mu.Lock()
		src.err, src.values = nil, [][]Value{{Int(2), String("b")}}
		src.mu.Unlock()
		time.Sleep(lastRecover)
		<-done
		if s.Stale() || (*s.Get())[2] != "b" {
			t.Errorf("stale %v, %v", s.Stale(), *s.Get())
		}
	})
}
