package acc

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// numbered is a record whose Call-ID is its number.
func numbered(n int) store.Change {
	return store.Change{Verb: store.VerbInsert, Table: "acc", Columns: []string{"method", "callid", "sip_code", "sip_reason", "time"},
		Rows: [][]store.Value{{store.String("INVITE"), store.String(fmt.Sprintf("%06d", n)), store.String("200"), store.String("O'K"), store.Time(time.Now())}}}
}

// again gives the spool of another process, when this one's has ended.
func again(s *spool) *spool {
	if s.lock != nil {
		s.lock.Close()
	}
	return &spool{dir: s.dir, room: s.room}
}

// running is a writer that runs until end.
func running(t *testing.T, url string, s *spool) (w *writer, end func()) {
	t.Helper()
	return runningWith(t, url, s, nil)
}

func runningWith(t *testing.T, url string, s *spool, log *slog.Logger) (w *writer, end func()) {
	t.Helper()
	db, err := store.Open(url, store.Options{Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	w = newWriter(db, log, s)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.run(ctx) }()
	return w, func() { cancel(); <-done }
}

// drained waits until nothing is left, for as long as it becomes less.
func drained(t *testing.T, left func() int) {
	t.Helper()
	for least := left(); least > 0; {
		waittest.For(t, fmt.Sprintf("fewer than %d are left", least), func() bool { return left() < least })
		least = left()
	}
}

// TestOutage: the database is killed while records come, the program ends and begins anew meanwhile, and no record is
// lost or out of its place.
func TestOutage(t *testing.T) {
	server := storetest.MariaDB(t)
	url := server.URL("acc")
	if err := store.Create(t.Context(), url, "version", "acc"); err != nil {
		t.Fatal(err)
	}
	s := openSpool(t.TempDir(), url)
	w, end := running(t, url, s)
	n := 0
	put := func(many int) {
		for range many {
			w.put(numbered(n))
			n++
		}
	}
	put(300)
	server.Kill()
	put(300)
	waittest.For(t, "the spool has records", func() bool { return s.records.Load() > 0 })
	put(300)
	end()
	if lost := w.lost.Load(); lost > 0 {
		t.Fatalf("%d records are lost", lost)
	}
	for _, path := range []string{s.dir, filepath.Join(s.dir, "lock")} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others can read %s: %v %v", path, info, err)
		}
	}

	s = again(s)
	w, end = running(t, url, s)
	defer func() { end() }()
	waittest.For(t, "what was there is seen", s.waits)
	put(100)
	server.Start()
	put(100)
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	seen := map[int]int{}
	waittest.For(t, "all records are there", func() bool {
		r, err := db.Select(t.Context(), store.Select{Table: "acc", Columns: []string{"callid", "sip_reason"}, Order: "id"})
		if err != nil {
			return false
		}
		clear(seen)
		last := -1
		for i := range r.Len() {
			at, _ := strconv.Atoi(r.Row(i)[0].Text())
			if seen[at]++; seen[at] == 1 && at < last {
				t.Errorf("%d is behind %d", at, last)
			}
			if last = max(last, at); r.Row(i)[1].Text() != "O'K" {
				t.Errorf("reason %q", r.Row(i)[1].Text())
			}
		}
		return len(seen) == n
	})
	waittest.For(t, "nothing waits", func() bool { return !s.waits() && s.records.Load() == 0 })
	if lost := w.lost.Load(); lost > 0 {
		t.Errorf("%d records are lost", lost)
	}
	for at, times := range seen {
		if times > 2 { // the statement that the kill has cut off may have been done
			t.Errorf("%d is there %d times", at, times)
		}
	}
}

// TestHandover: no record is lost when the process before has the spool, and there is no database.
func TestHandover(t *testing.T) {
	const url = "mysql://nobody:x@127.0.0.1:1/none"
	before := openSpool(t.TempDir(), url)
	if err := before.add([]store.Change{numbered(0)}); err != nil {
		t.Fatal(err)
	}
	s := &spool{dir: before.dir, room: before.room}
	w, end := running(t, url, s)
	defer end()
	for n := 1; n <= 300; n++ {
		w.put(numbered(n))
	}
	waittest.For(t, "the writer holds a batch", func() bool { return len(w.queue) < 300 })
	before.lock.Close() // it has ended
	waittest.For(t, "all are in the spool", func() bool { return s.records.Load() == 301 })
	if lost := w.lost.Load(); lost > 0 {
		t.Errorf("%d records are lost", lost)
	}
}

// TestSpool: its bound, one owner at a time, and the end of a program in the middle of a line.
func TestSpool(t *testing.T) {
	s := openSpool(t.TempDir(), "mysql://x")
	if s.waits() {
		t.Error("something waits before anything came")
	}
	s.room = 30000
	took := 0
	for n := range 1000 {
		if err := s.add([]store.Change{numbered(n)}); err == errFull {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		took++
	}
	if took < 100 || took > 400 || s.records.Load() != int64(took) {
		t.Errorf("it took %d, and has %d", took, s.records.Load())
	}
	other := &spool{dir: s.dir, room: s.room}
	if other.add([]store.Change{numbered(0)}) == nil {
		t.Error("another process has it as well")
	}
	if openSpool(filepath.Dir(s.dir), "mysql://x") != s {
		t.Error("another configuration has another")
	}

	files, _ := filepath.Glob(filepath.Join(s.dir, "*.json"))
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], text[:len(text)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	s = again(s)
	if !s.waits() {
		t.Fatal("nothing waits")
	}
	next, broken := 0, 0
	for {
		name, batch, bad := s.oldest()
		if name == "" {
			break
		}
		broken += bad
		for _, c := range batch {
			if got, want := c.Rows[0][1].Text(), fmt.Sprintf("%06d", next); got != want && bad == 0 && broken == 0 {
				t.Fatalf("%s in the place of %s", got, want)
			}
			next++
		}
		if err := s.remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if next != took-1 || broken != 1 || s.waits() {
		t.Errorf("%d records, %d broken", next, broken)
	}
}

// TestSlow: a database that others keep locked takes no records for a while; more come than wait in memory, and none is lost.
func TestSlow(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "version", "acc"); err != nil {
		t.Fatal(err)
	}
	free := storetest.LockSQLite(t, url)
	s := openSpool(t.TempDir(), url)
	w, end := running(t, url, s)
	const many = 3 * maxWaiting
	for n := range many {
		w.put(numbered(n))
		if n%100 == 0 {
			waittest.For(t, "there is room", func() bool { return len(w.queue) < maxWaiting*3/4 })
		}
	}
	free()
	drained(t, func() int { return len(w.queue) + int(s.records.Load()) })
	end()
	if lost := w.lost.Load(); lost > 0 {
		t.Errorf("%d records are lost", lost)
	}
	db, err := store.Open(url, store.Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, err := db.Select(t.Context(), store.Select{Table: "acc", Columns: []string{"callid"}})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for i := range r.Len() {
		seen[r.Row(i)[0].Text()] = true
	}
	if len(seen) != many {
		t.Errorf("%d of %d are there", len(seen), many)
	}
}

// TestLate: a record that comes when its writer has ended goes to the one that follows, and without one to the spool.
func TestLate(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "version", "acc"); err != nil {
		t.Fatal(err)
	}
	begun := func(s *spool) *writer {
		db, err := store.Open(url, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		w := newWriter(db, nil, s)
		w.begin()
		return w
	}
	s := openSpool(t.TempDir(), url)
	before, after := begun(s), begun(s)
	before.end(func() *writer { return after })
	before.put(numbered(1))
	after.end(nil)
	if s.waits() {
		t.Error("a record is in the spool that a writer could take")
	}
	before.put(numbered(2))
	if got := s.records.Load(); got != 1 || before.lost.Load()+after.lost.Load() > 0 {
		t.Errorf("%d records are in the spool, %d are lost", got, before.lost.Load()+after.lost.Load())
	}
	last := begun(nil)
	last.end(nil)
	if last.put(numbered(3)); last.lost.Load() != 1 {
		t.Error("a record is lost that nobody counts")
	}
}

// TestSpoolKeepsWhatStays: a file that cannot be removed is an error: its records would be written again.
func TestSpoolKeepsWhatStays(t *testing.T) {
	s := &spool{dir: t.TempDir(), room: maxSpool, sizes: map[string]int64{}}
	if err := os.MkdirAll(filepath.Join(s.dir, "stays", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.remove("stays"); err == nil {
		t.Error("nothing is told")
	}
}

// TestSpoolHasRoom: it takes no record more than it has room for, all of a batch or none; and what comes while a file is
// being written to the database begins another one.
func TestSpoolHasRoom(t *testing.T) {
	one := []store.Change{numbered(1)}
	s := &spool{dir: filepath.Join(t.TempDir(), "spool"), room: maxSpool}
	if err := s.add(one); err != nil {
		t.Fatal(err)
	}
	name, batch, bad := s.oldest()
	if len(batch) != 1 || bad != 0 {
		t.Fatalf("%d records, %d bad ones", len(batch), bad)
	}
	s.room = 2*s.sizes[name] + 1
	if err := s.add(one); err != nil {
		t.Fatal(err)
	}
	if len(s.sizes) != 2 {
		t.Errorf("what is being written to the database is added to: %v", s.sizes)
	}
	if err := s.add(one); err != errFull {
		t.Errorf("one too many: %v", err)
	}
	if err := s.remove(name); err != nil {
		t.Fatal(err)
	}
	if err := s.add([]store.Change{numbered(2), numbered(3)}); err != errFull {
		t.Errorf("half of a batch has room: %v", err)
	}
	if err := s.add(one); err != nil || s.records.Load() != 2 {
		t.Errorf("%v, %d records", err, s.records.Load())
	}
}
