package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/store/gate"
)

// Options are the bounds of a pool. Its zero value has those that are told at
// the fields.
type Options struct {
	Conns   int           // connections at most; 0 is 8
	Waiting int           // statements under way or waiting at most; 0 is 1,024
	Timeout time.Duration // of a statement, the wait for a connection included; 0 is 3 s
	Loading time.Duration // of a Load; 0 is a minute
	Linger  time.Duration // the pool lasts that long behind the last Close, for those who began before it
	Slow    time.Duration // a statement that takes longer is logged and counted; 0 none
	// VersionTable is the table that tells the versions of the others; "" is version.
	VersionTable string
	// Trial opens what nothing is changed in and nobody on a network is asked for: a
	// database on one has no rows then, and every table.
	Trial bool
	Log   *slog.Logger // who is told that the database is gone, back or slow; nil nobody
	// Changed is told when the database is found to be gone, and back; nil nobody.
	// It is called by who found out and is quick.
	Changed func(u URL, up bool)
}

// Grace is how long a message that began with a configuration that was reloaded has its databases: longer than most calls
// ring.
const Grace = 5 * time.Minute

func (o Options) filled() Options {
	if o.Conns <= 0 {
		o.Conns = 8
	}
	if o.Waiting <= 0 {
		o.Waiting = 1024
	}
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	if o.Loading <= 0 {
		o.Loading = time.Minute
	}
	if o.VersionTable == "" {
		o.VersionTable = VersionTable
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func(URL, bool) {}
	}
	return o
}

var (
	// ErrDown is that the database is gone and that it is not yet time to try it again.
	ErrDown = errors.New("the database is gone")
	// ErrBusy is that as many statements wait as may.
	ErrBusy = errors.New("too many statements wait for the database")
	// ErrUnsupported is that this kind of database cannot do it.
	ErrUnsupported = errors.New("is not supported by this kind of database")
	// ErrClosed is that the pool of a DB has ended.
	ErrClosed = errors.New("the database was closed")
)

// DB is a database: a pool of connections. It is safe for any number of goroutines.
type DB struct {
	*pool
	closed atomic.Bool
}

// pool is what all who opened a URL share.
type pool struct {
	url  URL
	key  string
	opt  Options
	gate gate.Gate
	backend
	counters counters
	uses     int // under pools.mu
	ended    atomic.Bool
}

// backend does what a DB is asked for.
type backend interface {
	load(ctx context.Context, q Select, each func(*Row) error) error
	query(ctx context.Context, s *Statement, into *Result) error
	exec(ctx context.Context, s *Statement) (affected int64, err error)
	change(ctx context.Context, changes []Change) (affected int64, err error)
	columns(ctx context.Context, table string) ([]string, error)
	ping(ctx context.Context) error
	shutdown() error
}

// pools are those that are open, by URL, and those that linger.
var pools = struct {
	mu        sync.Mutex
	open      map[string]*pool
	lingering map[*pool]*time.Timer
}{open: make(map[string]*pool), lingering: make(map[*pool]*time.Timer)}

// Open returns the database of a db_url. Nothing is asked of it yet. Who opens a
// URL that is open gets the same pool; its bounds are those of who came first,
// with as many connections as the one who wants the most.
func Open(dbURL string, o Options) (*DB, error) {
	u, err := ParseURL(dbURL)
	if err != nil {
		return nil, err
	}
	pools.mu.Lock()
	defer pools.mu.Unlock()
	key := dbURL
	if o.Trial {
		key += " trial"
	}
	p := pools.open[key]
	if p == nil {
		p = &pool{url: u, key: key, opt: o.filled()}
		p.gate.Config = gateConfig(p.opt)
		if p.backend, err = newBackend(u, p.opt); err != nil {
			return nil, fmt.Errorf("%s: %w", u, err)
		}
		pools.open[key] = p
	} else if b, ok := p.backend.(*sqlBackend); ok && o.Conns > p.opt.Conns {
		p.opt.Conns = o.Conns
		b.setConns(o.Conns)
	}
	p.uses++
	return &DB{pool: p}, nil
}

func newBackend(u URL, o Options) (backend, error) {
	switch {
	case u.Scheme == Text:
		return newTextFolder(u.Name), nil
	case o.Trial && u.Scheme != SQLite:
		return unasked{}, nil
	}
	return newSQL(u, o)
}

// Close lets go of the pool, which ends when the last one has, or Options.Linger later. Until then who has db still
// may use it: a message that began before a reload.
func (db *DB) Close() error {
	if db.closed.Swap(true) {
		return nil
	}
	pools.mu.Lock()
	defer pools.mu.Unlock()
	db.uses--
	if db.uses > 0 {
		return nil
	}
	delete(pools.open, db.key)
	if db.opt.Linger == 0 || db.opt.Trial {
		return db.end()
	}
	pools.lingering[db.pool] = time.AfterFunc(db.opt.Linger, func() {
		pools.mu.Lock()
		defer pools.mu.Unlock()
		if pools.lingering[db.pool] != nil {
			delete(pools.lingering, db.pool)
			_ = db.end() // what it says of its connections helps nobody now
		}
	})
	return nil
}

// CloseLingering ends the pools that only linger, as a program does at its end.
func CloseLingering() {
	pools.mu.Lock()
	defer pools.mu.Unlock()
	for p, timer := range pools.lingering {
		timer.Stop()
		_ = p.end()
	}
	clear(pools.lingering)
}

// end ends the pool; what is under way comes to its end.
func (p *pool) end() error {
	p.ended.Store(true)
	return p.shutdown()
}

// URL returns where the database is.
func (db *DB) URL() URL { return db.url }

// run does one thing with the database, within the bounds.
func (db *DB) run(ctx context.Context, most time.Duration, what string, f func(ctx context.Context) error) error {
	if db.ended.Load() {
		return ErrClosed
	}
	probe, err := db.gate.Enter(time.Now())
	if err != nil {
		db.counters.refused.Add(1)
		return db.wrap(err)
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	begin := time.Now()
	err = f(ctx)
	took := time.Since(begin)
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w (%w)", ctx.Err(), err) // drivers tell of it each in its way
	}
	db.counters.count(took, err)
	if db.opt.Slow > 0 && took > db.opt.Slow {
		db.counters.slow.Add(1)
		db.opt.Log.Warn("slow statement", "database", db.url.String(), "took", took, "statement", what)
	}
	switch db.gate.Leave(time.Now(), probe, outcome(err), err) {
	case gate.WentDown:
		db.opt.Log.Error("the database is gone", "database", db.url.String(), "error", err)
		db.opt.Changed(db.url, false)
	case gate.CameBack:
		db.opt.Log.Warn("the database is back", "database", db.url.String())
		db.opt.Changed(db.url, true)
	case gate.NoChange:
	}
	return db.wrap(err)
}

// wrap says which database an error is of, unless it is one of a row or a file.
func (db *DB) wrap(err error) error {
	var row *RowError
	var file *FileError
	if err == nil || errors.As(err, &row) || errors.As(err, &file) {
		return err
	}
	return fmt.Errorf("%s: %w", db.url, err)
}

// Load is Source: it reads a table row by row. A database that stands still is found out in the time of a statement, before
// what may take a table's time.
func (db *DB) Load(ctx context.Context, q Select, each func(*Row) error) error {
	var err error
	if q.Version != 0 {
		err = db.CheckVersion(ctx, q.Table, q.Version)
	} else {
		err = db.run(ctx, db.opt.Timeout, "ping", db.ping)
	}
	if err != nil {
		return err
	}
	return db.each(ctx, db.opt.Loading, "load "+q.Table, q, each)
}

// Find reads the few rows that a message asks for, which waits for Options.Timeout at most: a
// Load may take a table's time.
func (db *DB) Find(ctx context.Context, q Select, each func(*Row) error) error {
	return db.each(ctx, db.opt.Timeout, "find "+q.Table, q, each)
}

// each gives rows one by one, in a time. The error is each's, or the database's.
func (db *DB) each(ctx context.Context, most time.Duration, what string, q Select, each func(*Row) error) error {
	var stopped error
	err := db.run(ctx, most, what, func(ctx context.Context) error {
		err := db.load(ctx, q, func(r *Row) error {
			if stopped = each(r); stopped == nil {
				stopped = r.err
			}
			return stopped
		})
		if stopped != nil {
			return nil // no fault of the database
		}
		return err
	})
	if stopped != nil {
		return stopped
	}
	return err
}

// Select reads rows of a table, whole.
func (db *DB) Select(ctx context.Context, q Select) (*Result, error) {
	var res Result
	err := db.run(ctx, db.opt.Timeout, "select "+q.Table, func(ctx context.Context) error {
		return db.load(ctx, q, res.add)
	})
	if err != nil {
		return nil, err
	}
	return &res, nil
}

// Query runs a statement as it is. A statement that has no result, such as an
// INSERT, gives one without columns.
func (db *DB) Query(ctx context.Context, s *Statement) (*Result, error) {
	var res Result
	err := db.run(ctx, db.opt.Timeout, "query", func(ctx context.Context) error {
		return db.query(ctx, s, &res)
	})
	if err != nil {
		return nil, err
	}
	return &res, nil
}

// Exec runs a statement whose result is not wanted and returns how many rows it
// touched.
func (db *DB) Exec(ctx context.Context, s *Statement) (int64, error) {
	var n int64
	err := db.run(ctx, db.opt.Timeout, "exec", func(ctx context.Context) (err error) {
		n, err = db.exec(ctx, s)
		return err
	})
	return n, err
}

// Columns returns the names of a table's columns; none for a database on a network in
// a trial.
func (db *DB) Columns(ctx context.Context, table string) ([]string, error) {
	var names []string
	err := db.run(ctx, db.opt.Timeout, "columns "+table, func(ctx context.Context) (err error) {
		names, err = db.columns(ctx, table)
		return err
	})
	return names, err
}
