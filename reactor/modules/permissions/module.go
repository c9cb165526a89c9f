package permissions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/tlsstate/regular"
)

// module is the module in one configuration.
type module struct {
	dir string // of the main configuration file

	allowFile, denyFile     string
	allowSuffix, denySuffix string
	firstOnly               bool // check_all_branches = 0

	url         script.Literal // of the default partition, as the next two
	file, table string
	defined     []definition
	columns     columns
	partitions  []*partition
	byName      map[string]*partition

	mu    sync.Mutex
	pairs map[[2]string]*atomic.Pointer[Pair] // rules by the names of their files

	log *slog.Logger
}

type definition struct {
	destination.Definition
	at script.Pos
}

// columns are the names of the table's columns, which parameters may change.
type columns struct {
	group, ip, mask, port, proto, pattern, info string
}

const (
	defaultPartition = "default"
	defaultTable     = "address"
	tableVersion     = 5
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{
		allowFile: "permissions.allow", denyFile: "permissions.deny", allowSuffix: ".allow", denySuffix: ".deny", table: defaultTable,
		columns: columns{"grp", "ip", "mask", "port", "proto", "pattern", "context_info"},
		byName:  map[string]*partition{}, pairs: map[[2]string]*atomic.Pointer[Pair]{}, log: slog.New(slog.DiscardHandler),
	}
	return &script.Module{
		Name: "permissions", Help: "Who may call: by addresses of a table, and by rules of files.", Instance: m,
		Parameters: m.parameters(), Functions: m.functions(), Commands: m.commands(),
		Check: m.check, Start: m.start, Stop: m.stop, Trial: true,
	}
}

func (m *module) parameters() []script.Parameter {
	text := script.StringParam
	column := func(name, otherwise, of string, to *string) script.Parameter {
		return script.Parameter{Name: name, Type: text, Default: otherwise, Help: "Column of the address table with " + of + ".", Set: script.Into(to)}
	}
	return []script.Parameter{
		{Name: "default_allow_file", Type: text, Default: "permissions.allow", Help: "Rules that allow, of allow_routing() without a name. A relative path is one beside the configuration.", Set: script.Into(&m.allowFile)},
		{Name: "default_deny_file", Type: text, Default: "permissions.deny", Help: "Rules that deny, of allow_routing() without a name.", Set: script.Into(&m.denyFile)},
		{Name: "check_all_branches", Type: script.BoolParam, Default: "1", Help: "Has allow_routing() look at all branches, and not at the Request-URI alone.",
			Set: func(v script.Literal) error { m.firstOnly = v.Int == 0; return nil }},
		{Name: "allow_suffix", Type: text, Default: ".allow", Help: "What makes a name a file of rules that allow.", Set: script.Into(&m.allowSuffix)},
		{Name: "deny_suffix", Type: text, Default: ".deny", Help: "What makes a name a file of rules that deny.", Set: script.Into(&m.denySuffix)},
		{Name: "db_url", Type: text, Help: "Database with the address table.", Set: func(v script.Literal) error { m.url = v; return new(database.URL).Set(v) }},
		{Name: "address_file", Type: text, Help: "File with the addresses in the place of a database: CSV with the columns' names in its first line, or db_text's form. Not in OpenSIPS.", Set: script.Into(&m.file)},
		{Name: "address_table", Type: text, Default: defaultTable, Help: "Table with the addresses.", Set: script.Into(&m.table)},
		{Name: "partition", Type: text, Help: `Another address table: "name: db_url = ...; table_name = ...".`, Set: m.setPartition},
		column("grp_col", "grp", "the group", &m.columns.group),
		column("ip_col", "ip", "the address", &m.columns.ip),
		column("mask_col", "mask", "the length of the mask", &m.columns.mask),
		column("port_col", "port", "the port", &m.columns.port),
		column("proto_col", "proto", "the transport", &m.columns.proto),
		column("pattern_col", "pattern", "the pattern", &m.columns.pattern),
		column("info_col", "context_info", "what the script is told", &m.columns.info),
	}
}

func (m *module) setPartition(v script.Literal) error {
	d, err := destination.ParseDefinition(v.Text)
	if err != nil {
		return err
	}
	if d.Alias != "" {
		return fmt.Errorf(`has %q, which is no "key = value"`, d.Alias)
	}
	for _, s := range d.Settings {
		switch s.Key {
		case "db_url", "table_name", "file":
		default:
			return fmt.Errorf("has the unknown key %s; there are db_url, table_name, file", s.Key)
		}
	}
	m.defined = append(m.defined, definition{d, v.At})
	return nil
}

// partition is an address table.
type partition struct {
	name   string
	table  string
	tables destination.Tables
	db     *store.DB
	rows   store.Snapshot[Table]
}

// get gives the table as it stands.
func (p *partition) get() *Table { return p.rows.Get() }

// add makes a partition.
func (m *module) add(l *script.Loading, name string, url script.Literal, file, table string, at script.Pos) {
	p := &partition{name: name, table: table}
	p.tables.SetFile(table, file, at)
	if url.Text != "" {
		if err := p.tables.SetURL(url); err != nil {
			l.Errorf(url.At, "the db_url of partition %s %v", name, err)
		}
	}
	p.tables.Check(l, "the addresses of partition "+name)
	m.partitions = append(m.partitions, p)
	m.byName[name] = p
}

// check makes the partitions of what the parameters say.
func (m *module) check(l *script.Loading) {
	m.dir = filepath.Dir(l.Place("").File())
	for param, name := range map[string]string{"default_allow_file": m.allowFile, "default_deny_file": m.denyFile} {
		if !l.IsSet(param) {
			continue // one that nobody has named may be missing
		}
		f, err := regular.Open(m.path(name))
		if err != nil {
			l.Errorf(l.Place(param), "%s cannot be used: %w", param, err)
			continue
		}
		_ = f.Close()
	}
	if m.url.Text != "" || m.file != "" { // db_default_url is not for it, as in OpenSIPS
		m.add(l, defaultPartition, m.url, m.file, m.table, l.Place("address_file"))
	}
	for _, d := range m.defined {
		url, file, table := m.url, "", m.table
		for _, s := range d.Settings {
			switch s.Key {
			case "db_url":
				url = script.Literal{At: d.at, Text: s.Value, Quoted: true}
			case "file":
				file = s.Value
			case "table_name":
				table = s.Value
			}
		}
		if m.byName[d.Name] != nil {
			l.Errorf(d.at, "the partition %s is there already", d.Name)
			continue
		}
		m.add(l, d.Name, url, file, table, d.at)
	}
}

// start loads the tables.
func (m *module) start(e *script.Env) error {
	m.log = e.Log
	var errs []error
	for _, p := range m.partitions {
		if err := m.startPartition(e, p); err != nil {
			errs = append(errs, p.tables.Placed(fmt.Errorf("partition %s: %w", p.name, err)))
		}
	}
	if err := errors.Join(append(errs, m.readRules())...); err != nil {
		m.stop(nil)
		return err
	}
	return nil
}

// startPartition opens a partition's source and loads it for the first time.
func (m *module) startPartition(e *script.Env, p *partition) (err error) {
	var from store.Source
	if from, p.db, err = p.tables.Open(e); err != nil {
		return err
	}
	p.rows.Source, p.rows.Log = from, m.log
	p.rows.Make = func(ctx context.Context, s store.Source) (*Table, error) { return m.load(ctx, p, s) }
	if p.tables.Files == nil {
		p.rows.Cache = destination.CachePath(e.StateDir, "permissions", p.name)
	}
	if err := p.rows.Start(context.Background()); err != nil {
		return err
	}
	e.Go(p.rows.Recover)
	return nil
}

func (m *module) stop(any) {
	for _, p := range m.partitions {
		if p.db != nil {
			_ = p.db.Close()
		}
	}
}

// load makes a Table: store.Snapshot's Make. A row that is wrong stops it: a table
// that lacks an address lets the wrong ones in, or keeps the right ones out.
func (m *module) load(ctx context.Context, p *partition, from store.Source) (*Table, error) {
	c := &m.columns
	var rows []Address
	err := from.Load(ctx, store.Select{
		Table: p.table, Version: tableVersion,
		Columns:  []string{c.group, c.ip},
		Optional: []string{c.mask, c.port, c.proto, c.pattern, c.info, "id"},
	}, func(r *store.Row) error {
		a := Address{Group: int(r.IntIn(0, 0, 1<<31-1)), Port: uint16(r.IntIn(3, 0, 65535)), Pattern: strings.TrimSpace(r.Text(5)), ID: r.Int(7)}
		mask := -1
		if !r.IsNull(2) {
			mask = int(r.IntIn(2, 0, 128))
		}
		var err error
		if a.Network, err = parseNetwork(r.Text(1), mask); err != nil {
			return r.Fault(1, "%v", err)
		}
		if a.Proto, err = parseRowProto(r.Text(4)); err != nil {
			return r.Fault(4, "%v", err)
		}
		if err = checkWildcard(a.Pattern); err != nil {
			return r.Fault(5, "%v", err)
		}
		if !r.IsNull(6) {
			info := r.Text(6)
			a.Info = &info
		}
		rows = append(rows, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return newTable(rows), nil
}
