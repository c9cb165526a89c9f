package destination

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/names"
	"sipreactor/reactor/rescue"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// Tables are where a module's rows come from: a database, or one file for each
// table. The zero value is nowhere.
type Tables struct {
	DB    database.URL    // db_url
	Files map[string]File // by table, each in the place of that table
	// Named is a database that is known at the start only, by its URL; "" it is DB.
	Named string
	// NamedAt is what names it.
	NamedAt script.Pos
	// Kinds are those that it may be of: those of the tables that name it, behind their Check.
	Kinds database.Kinds
	given bool // db_url was set
	open  bool // DB is used
}

// File is a file with a table, and what names it.
type File struct {
	Path string
	At   script.Pos
}

// SetFile has a table come from a file, which the parameter at a place names; "" changes
// nothing.
func (t *Tables) SetFile(table, path string, at script.Pos) {
	if path == "" {
		return
	}
	if t.Files == nil {
		t.Files = map[string]File{}
	}
	t.Files[table] = File{path, at}
}

// At returns the place of the database, or of one of the files.
func (t *Tables) At() script.Pos {
	if t.open {
		return t.DB.At()
	}
	for _, f := range t.Files {
		return f.At
	}
	return t.NamedAt
}

// Placed gives an error of the tables the place of the parameter that names the file, or
// the database, which is wrong: each one of several that are joined.
func (t *Tables) Placed(err error) error {
	if err == nil {
		return nil
	}
	var all []error
	for _, one := range script.Parts(err) {
		all = append(all, t.placed(one))
	}
	return errors.Join(all...)
}

func (t *Tables) placed(err error) error {
	at := t.At()
	var file *store.FileError
	var row *store.RowError
	path := ""
	switch {
	case errors.As(err, &file):
		path = file.Path
	case errors.As(err, &row):
		path = row.File
	}
	for _, f := range t.Files {
		if f.Path == path {
			at = f.At
		}
	}
	if !at.IsValid() {
		return err
	}
	return script.ErrorAt(at, err)
}

// Check makes sure that there is something to load from: a database, files, or else
// the default database. Relative paths of files begin where the configuration is. It
// reports whether there is.
func (t *Tables) Check(l *script.Loading, of string) bool {
	for table, f := range t.Files {
		if !filepath.IsAbs(f.Path) {
			f.Path = filepath.Join(filepath.Dir(l.Place("").File()), f.Path)
			t.Files[table] = f
		}
	}
	t.Kinds = database.KindsOf(l)
	switch {
	case t.given:
		t.open = t.DB.Check(l)
		return t.open
	case len(t.Files) > 0:
	case t.DB.Wanted(l):
		t.open = t.DB.Check(l)
		return t.open
	default:
		l.Errorf(l.Place("db_url"), "there is neither a db_url nor a file to load %s from", of)
		return false
	}
	return true
}

// SetURL is the Set of db_url.
func (t *Tables) SetURL(v script.Literal) error {
	t.given = v.Text != ""
	return t.DB.Set(v)
}

// Open gives the source of rows and the database for what is written back, nil if
// there is none. It asks nothing of it yet.
func (t *Tables) Open(e *script.Env) (store.Source, *store.DB, error) {
	var db *store.DB
	var err error
	switch {
	case t.Named != "":
		db, err = t.Kinds.Open(e, t.Named)
	case t.open:
		db, err = t.DB.Open(e)
	}
	if err != nil {
		return nil, nil, err
	}
	if len(t.Files) == 0 {
		return db, db, nil
	}
	return files{t.Files, db}, db, nil
}

// files takes the tables that have one from files.
type files struct {
	paths map[string]File
	db    *store.DB
}

// Load is store.Source.
func (f files) Load(ctx context.Context, q store.Select, each func(*store.Row) error) error {
	if one, ok := f.paths[q.Table]; ok {
		return store.File{Path: one.Path}.Load(ctx, q, each)
	}
	if f.db == nil {
		return nil // an empty table
	}
	return f.db.Load(ctx, q, each)
}

// CachePath gives the file of the last good state of a module's tables.
func CachePath(dir, module, part string) string {
	if dir == "" {
		return ""
	}
	clean := strings.Map(func(c rune) rune {
		if c == '/' || c == '\\' || c < ' ' {
			return '_'
		}
		return c
	}, part)
	return filepath.Join(dir, module+"-"+clean+".cache")
}

// resolvesAtOnce bounds the names that are asked for together.
const resolvesAtOnce = 32

// resolveTime is how long the addresses of a table may take.
const resolveTime = 10 * time.Second

// ResolveAll looks the hosts of addresses up; errs has what went wrong with each, nil
// where nothing did.
func ResolveAll(ctx context.Context, lookup Lookup, all []*Address) (errs []error) {
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	errs = make([]error, len(all))
	var wg sync.WaitGroup
	slots := make(chan struct{}, resolvesAtOnce)
	for i, a := range all {
		if len(a.Addrs) > 0 {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := rescue.Run(nil, "a look-up", func() { errs[i] = a.Resolve(ctx, lookup) }); err != nil {
				errs[i] = err
			}
		})
	}
	wg.Wait()
	return errs
}

// errNoAddress is what Resolve says of a name without any.
var errNoAddress = errors.New("no address")

// LookupIn is a Lookup for the Start of a module: a trial asks nobody.
func LookupIn(e *script.Env, lookup Lookup) Lookup {
	if !e.Trial {
		return lookup
	}
	return func(_ context.Context, _ reactor.Proto, _ string, port uint16) ([]netip.AddrPort, error) {
		return []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), port)}, nil
	}
}

// NewLookup makes a Lookup that asks the DNS by RFC 3263, as the proxy does: cfg gives
// its settings when it is first asked.
func NewLookup(cfg func() names.Config) Lookup {
	dns := sync.OnceValue(func() *names.DNS { return names.New(cfg()) })
	return func(ctx context.Context, p reactor.Proto, host string, port uint16) ([]netip.AddrPort, error) {
		a, err := dns().Lookup(ctx, names.Query{Host: host, Proto: p, Port: port, Fallback: reactor.UDP})
		if err != nil {
			return nil, err
		}
		all := make([]netip.AddrPort, 0, len(a.Targets))
		for i := range a.Targets {
			if at := a.Targets[i].Addr; !slices.Contains(all, at) {
				all = append(all, at)
			}
		}
		return all, nil
	}
}
