package acc

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"sipreactor/reactor/store"
)

const (
	maxSpool   = 256 << 20 // bytes of a spool: some 500,000 records
	maxRefused = 16 << 20  // bytes of the records in it that the database refuses
)

// refusedName is the file of those, which nobody reads but the operator. Its lines are as those of the others, with the
// database's words as error.
const refusedName = "refused.jsonl"

// spool keeps records in a folder while their database is gone, over the program's end, too. Its files have
// numbers, a record a line, and are read in their order and removed. One process has it at a time: it holds the
// folder's lock. What is in files survives the program's end in any way, and the machine's as far as the file system
// has written it.
//
// A nil spool is one that nothing waits in.
type spool struct {
	dir      string
	room     int64      // bytes that it may have
	draining sync.Mutex // held by who writes to the database what is here
	records  atomic.Int64

	mu    sync.Mutex
	lock  *os.File         // nil: it is not ours yet
	sizes map[string]int64 // of the files, by their names
	last  int              // the number of the one that is written to; 0 is none
	lines int              // in it
}

// spools are those of the process, by their folders: two configurations have one during a reload.
var spools sync.Map

// openSpool gives the spool of a database. It is nil without a folder for what outlives the program.
func openSpool(stateDir, url string) *spool {
	if stateDir == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(url)) // which may have a password
	dir := filepath.Join(stateDir, "acc-"+hex.EncodeToString(sum[:8])+".spool")
	s, _ := spools.LoadOrStore(dir, &spool{dir: dir, room: maxSpool})
	return s.(*spool)
}

// line is a record in a file.
type line struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
	Values  [][]byte `json:"values"` // null is NULL
	Error   string   `json:"error,omitempty"`
}

// lineOf makes the line of a record.
func lineOf(c *store.Change) line {
	l := line{Table: c.Table, Columns: c.Columns, Values: make([][]byte, len(c.Columns))}
	for i, v := range c.Rows[0] {
		if !v.IsNull() {
			l.Values[i] = []byte(v.Text())
		}
	}
	return l
}

var errFull = errors.New("it is full")

// waits reports whether there is anything in it.
func (s *spool) waits() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		if _, err := os.Stat(s.dir); err != nil || s.open() != nil {
			return false
		}
	}
	return len(s.sizes) > 0
}

// open takes the lock and looks what is there; the caller has mu.
func (s *spool) open() (err error) {
	if s.lock != nil {
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another process has it: %w", err)
	}
	names, err := filepath.Glob(filepath.Join(s.dir, "*.json"))
	if err != nil {
		return err
	}
	s.sizes, s.last, s.lines = make(map[string]int64), 0, maxBatch
	for _, path := range names {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := filepath.Base(path)
		s.sizes[name] = int64(len(text))
		s.records.Add(int64(bytes.Count(text, []byte("\n"))))
		if n, err := strconv.Atoi(strings.TrimSuffix(name, ".json")); err == nil {
			s.last = max(s.last, n)
		}
	}
	s.lock = f
	return nil
}

// add appends records, all or none.
func (s *spool) add(batch []store.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return err
	}
	var text []byte
	for i := range batch {
		one, err := json.Marshal(lineOf(&batch[i]))
		if err != nil {
			return err
		}
		text = append(append(text, one...), '\n')
	}
	var all int64
	for _, n := range s.sizes {
		all += n
	}
	if all+int64(len(text)) > s.room {
		return errFull
	}
	if s.lines+len(batch) > maxBatch {
		s.last, s.lines = s.last+1, 0
	}
	name := fmt.Sprintf("%010d.json", s.last)
	f, err := os.OpenFile(filepath.Join(s.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err != nil {
		err = errors.Join(err, f.Truncate(s.sizes[name]))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		s.lines = maxBatch // the next ones begin another
		return err
	}
	s.sizes[name] += int64(len(text))
	s.lines += len(batch)
	s.records.Add(int64(len(batch)))
	return nil
}

// refuse keeps a record that the database does not take, and what that said. It returns the file.
func (s *spool) refuse(c *store.Change, why error) (path string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return "", err
	}
	l := lineOf(c)
	l.Error = why.Error()
	text, err := json.Marshal(l)
	if err != nil {
		return "", err
	}
	path = filepath.Join(s.dir, refusedName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.Size()+int64(len(text)) >= maxRefused:
		err = errFull
	default:
		_, err = f.Write(append(text, '\n'))
	}
	return path, errors.Join(err, f.Close())
}

// oldest reads the file that is next, to which nothing is added from then on; "" if there is none. bad is how many of
// its lines are no records, as the last one of a program that was killed.
func (s *spool) oldest() (name string, batch []store.Change, bad int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range s.sizes {
		if name == "" || n < name {
			name = n
		}
	}
	if name == "" {
		return "", nil, 0
	}
	s.lines = maxBatch // the next record begins another
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return name, nil, 1
	}
	for one := range bytes.Lines(text) {
		var l line
		if json.Unmarshal(one, &l) != nil || len(l.Values) != len(l.Columns) || slices.Contains(l.Columns, "") {
			bad++
			continue
		}
		row := make([]store.Value, len(l.Values))
		for i, v := range l.Values {
			if v != nil {
				row[i] = store.Cuttable(string(v))
			}
		}
		batch = append(batch, store.Change{Verb: store.VerbInsert, Table: l.Table, Columns: l.Columns, Rows: [][]store.Value{row}})
	}
	return name, batch, bad
}

// remove forgets a file whose records the database has. With an error the file is there still, and a later life would
// write its records again.
func (s *spool) remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := filepath.Join(s.dir, name)
	if text, err := os.ReadFile(path); err == nil {
		s.records.Add(-int64(bytes.Count(text, []byte("\n"))))
	}
	delete(s.sizes, name)
	err := os.Remove(path)
	if err != nil && os.Truncate(path, 0) == nil {
		return nil // an empty one is nothing
	}
	return err
}
