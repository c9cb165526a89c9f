package dialplan

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// tableVersion is that of the layout of the table dialplan.
const tableVersion = 5

// defaultPartition is the name of the one that functions mean without a name.
const defaultPartition = "default"

// The columns, in the order in which they are read; id is before them.
const (
	colPlan = iota + 1
	colPriority
	colOp
	colMatch
	colFlags
	colSubst
	colReplace
	colTimes
	colDisabled
	colAttrs
	columnCount
)

// module is the module in one configuration.
type module struct {
	url     database.URL
	table   string
	file    string
	columns [columnCount]string

	defined []definition // the partitions that the parameters name
	parts   []*partition
	byName  map[string]*partition
}

// definition is a parameter partition.
type definition struct {
	destination.Definition
	at script.Pos
}

// partition is a table in memory.
type partition struct {
	m     *module
	name  string
	table string
	url   *database.URL // nil: a file
	file  string
	at    script.Pos // of what names the file or the database
	db    *store.DB
	rows  store.Snapshot[plans]
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{table: "dialplan", byName: map[string]*partition{}}
	m.columns = [...]string{"id", "dpid", "pr", "match_op", "match_exp", "match_flags", "subst_exp", "repl_exp", "timerec", "disabled", "attrs"}
	parameters := append(m.url.Parameters(),
		script.Parameter{
			Name: "partition", Type: script.StringParam,
			Help: `A table of its own, "name: table_name = table; db_url = url", or another name for one, "name: other".`, Set: m.define,
		},
		database.Text("table_name", m.table, "The table of partitions that name none.", &m.table),
		database.Text("dialplan_file", "", "A file with the table of the default partition in the place of a database: CSV with the names of the columns in its first line, or db_text's form. Not in OpenSIPS.", &m.file),
	)
	for i, help := range [...]string{
		colPlan: "dialplan ID", colPriority: "priority, the smallest first", colOp: "kind of match, 0 equal or 1 a regular expression", colMatch: "text or expression to match",
		colFlags: "flags, 1 without regard to case", colSubst: "expression whose groups the replacement has", colReplace: "replacement", colTimes: "time recurrence",
		colDisabled: "flag that leaves the rule out", colAttrs: "attributes",
	} {
		if i > 0 {
			parameters = append(parameters, database.Text(m.columns[i]+"_col", m.columns[i], "The column of the "+help+".", &m.columns[i]))
		}
	}
	return &script.Module{
		Name: "dialplan", Help: "Translates strings by the rules of a table.", Instance: m,
		Parameters: parameters, Functions: m.functions(), Commands: m.commands(),
		Statistics: []script.Statistic{{Name: "rules", Help: "Rules of all partitions.", Gauge: true, Value: m.rules}},
		Check:      m.check, Start: m.start, Stop: m.stop, Trial: true,
	}
}

// define takes a parameter partition.
func (m *module) define(v script.Literal) error {
	d, err := destination.ParseDefinition(v.Text)
	if err != nil {
		return err
	}
	for _, s := range d.Settings {
		switch s.Key {
		case "table_name":
		case "db_url":
			if _, err := store.ParseURL(s.Value); err != nil {
				return fmt.Errorf("has a wrong db_url: %w", err)
			}
		default:
			return fmt.Errorf("has the unknown key %s; there are table_name and db_url", s.Key)
		}
	}
	m.defined = append(m.defined, definition{d, v.At})
	return nil
}

// check makes the partitions.
func (m *module) check(l *script.Loading) {
	for _, d := range m.defined {
		if d.Alias != "" {
			continue
		}
		if m.byName[d.Name] != nil {
			l.Errorf(d.at, "the partition %s is there twice", d.Name)
			continue
		}
		p := &partition{m: m, name: d.Name, table: m.table, url: &m.url}
		for _, s := range d.Settings {
			if s.Key == "table_name" {
				p.table = s.Value
				continue
			}
			p.url = new(database.URL)
			_ = p.url.Set(script.Literal{At: d.at, Text: s.Value, Quoted: true}) // define has read it
		}
		m.add(p)
	}
	for _, d := range m.defined {
		switch of := m.byName[d.Alias]; {
		case d.Alias == "":
		case of == nil:
			l.Errorf(d.at, "there is no partition %s", d.Alias)
		case m.byName[d.Name] != nil:
			l.Errorf(d.at, "the partition %s is there twice", d.Name)
		default:
			m.byName[d.Name] = of
		}
	}
	if m.byName[defaultPartition] == nil && (m.file != "" || len(m.parts) == 0 || m.url.Wanted(l)) {
		p := &partition{m: m, name: defaultPartition, table: m.table, url: &m.url}
		if m.file != "" {
			if p.file = m.file; !filepath.IsAbs(p.file) {
				p.file = filepath.Join(filepath.Dir(l.Place("dialplan_file").File()), p.file)
			}
		}
		m.add(p)
	}
	checked := map[*database.URL]bool{}
	for _, p := range m.parts {
		if p.file != "" {
			p.at = l.Place("dialplan_file")
			continue
		}
		if !checked[p.url] {
			checked[p.url] = true
			p.url.Check(l)
		}
		p.at = p.url.At()
	}
}

func (m *module) add(p *partition) {
	m.parts = append(m.parts, p)
	m.byName[p.name] = p
}

func (m *module) start(e *script.Env) error {
	var errs []error
	for _, p := range m.parts {
		if err := p.start(e); err != nil {
			errs = append(errs, script.ErrorAt(p.at, fmt.Errorf("partition %s: %w", p.name, err)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		m.stop(nil)
		return err
	}
	for _, p := range m.parts {
		e.Go(p.rows.Recover)
	}
	return nil
}

func (p *partition) start(e *script.Env) (err error) {
	p.rows.Source, p.rows.Make, p.rows.Log = store.File{Path: p.file}, p.load, e.Log
	if p.file == "" {
		if p.db, err = p.url.Open(e); err != nil {
			return err
		}
		p.rows.Source, p.rows.Cache = p.db, destination.CachePath(e.StateDir, "dialplan", p.name)
	}
	return p.rows.Start(context.Background())
}

func (m *module) stop(any) {
	for _, p := range m.parts {
		if p.db != nil {
			_ = p.db.Close() // what it says of its connections helps nobody now
		}
	}
}

func (m *module) rules() (n uint64) {
	for _, p := range m.parts {
		if all := p.rows.Get(); all != nil {
			n += uint64(all.rules)
		}
	}
	return n
}

// load makes the rules of a table.
func (p *partition) load(ctx context.Context, s store.Source) (*plans, error) {
	all := new(plans)
	c := p.m.columns
	q := store.Select{Table: p.table, Columns: c[:colSubst], Optional: c[colSubst:], Version: tableVersion}
	if p.file != "" { // which may have no numbers of rows
		q.Columns = c[colPlan:colSubst]
		q.Optional = append(append([]string{}, c[colSubst:]...), c[0])
	}
	n := int64(0)
	err := s.Load(ctx, q, func(r *store.Row) error {
		n++
		shift := 0
		w := row{id: n}
		if p.file != "" {
			shift = 1
			if last := r.Len() - 1; r.Text(last) != "" {
				w.id = r.Int(last)
			}
		} else {
			w.id = r.Int(0)
		}
		at := func(col int) int { return col - shift }
		if r.Int(at(colDisabled)) != 0 {
			return nil
		}
		w.plan, w.priority = r.Int(at(colPlan)), r.Int(at(colPriority))
		w.regex, w.fold = r.IntIn(at(colOp), 0, 1) == 1, r.Int(at(colFlags))&1 != 0
		w.match, w.subst, w.repl = r.Text(at(colMatch)), r.Text(at(colSubst)), r.Text(at(colReplace))
		w.hasSubst, w.hasReplace = !r.IsNull(at(colSubst)), !r.IsNull(at(colReplace))
		w.times, w.attrs = strings.TrimSpace(r.Text(at(colTimes))), r.Text(at(colAttrs))
		made, wrong := w.compile()
		if wrong != nil {
			return r.Fault(at(wrong.column), "%s", wrong.text)
		}
		all.add(&w, made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	all.sort()
	return all, nil
}
