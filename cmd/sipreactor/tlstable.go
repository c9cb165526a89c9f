package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"sipreactor/reactor/modules/tls_mgm"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/tlsstate"
)

// tlsTable has TLS domains of a database: those of tls_mgm's db_url. They come behind those of the configuration.
type tlsTable struct {
	cfg   script.TLSTable
	url   string
	opt   store.Options
	build func(tlsstate.Config) error // tells what is wrong with domains
	base  tlsstate.Config

	db   *store.DB
	rows *store.Snapshot[[]tlsstate.DomainConfig]
}

// newTLSTable checks the parameters of the table; nil: there is none. The database is not asked yet.
func newTLSTable(cfg *script.Config) (*tlsTable, error) {
	v := cfg.TLSTable.URL
	if v.Text == "" {
		return nil, nil
	}
	u, err := store.ParseURL(v.Text)
	if err != nil {
		return nil, fmt.Errorf("%v: db_url of tls_mgm is wrong: %w", v.At, err)
	}
	module := u.Scheme.Module()
	kind, ok := cfg.Instance(module).(interface{ Options() store.Options })
	if !ok {
		return nil, fmt.Errorf(`%v: a db_url of %s:// needs the module %s: loadmodule "%[3]s.so"`, v.At, u.Scheme, module)
	}
	t := &tlsTable{cfg: cfg.TLSTable, url: v.Text, opt: kind.Options()}
	t.opt.VersionTable = cfg.Databases.VersionTable
	if (u.Scheme == store.SQLite || u.Scheme == store.Text) && !filepath.IsAbs(u.Name) {
		u.Name = filepath.Join(filepath.Dir(v.At.File()), u.Name)
		t.url = u.String()
	}
	if err := u.CheckLocal(); err != nil {
		return nil, placed(v.At, "tls_mgm", fmt.Errorf("db_url %s cannot be used: %w", u, err))
	}
	return t, nil
}

// startTable loads the table for the first time, and gives the engine its domains.
func (n *node) startTable(ctx context.Context, cfg *script.Config) error {
	if n.table == nil {
		return nil
	}
	n.table.base = n.tls
	n.table.build = func(c tlsstate.Config) error {
		_, err := n.library.Build(c)
		return err
	}
	n.table.opt.Log = n.log
	c, err := n.withTable(ctx, func(t *tlsTable, ctx context.Context) error {
		cache := ""
		if !n.table.opt.Trial && n.state.prepare() == nil {
			cache = n.state.path("tls_mgm.cache")
		}
		return t.open(ctx, cache)
	})
	if err != nil {
		return placed(cfg.TLSTable.URL.At, "tls_mgm", err)
	}
	set, err := n.domains(c)
	if err != nil {
		return err
	}
	n.engine.SetDomains(set)
	return nil
}

// withTable gives the TLS domains with those of the table, behind load.
func (n *node) withTable(ctx context.Context, load func(*tlsTable, context.Context) error) (tlsstate.Config, error) {
	c := n.tls
	if n.table == nil {
		return c, nil
	}
	if err := load(n.table, ctx); err != nil {
		return c, err
	}
	c.Domains = append(slices.Clone(c.Domains), *n.table.rows.Get()...)
	return c, nil
}

func (t *tlsTable) open(ctx context.Context, cache string) (err error) {
	if t.db, err = store.Open(t.url, t.opt); err != nil {
		return err
	}
	t.rows = &store.Snapshot[[]tlsstate.DomainConfig]{Source: t.db, Make: t.load, Cache: cache, Log: t.opt.Log}
	return t.rows.Start(ctx)
}

func (t *tlsTable) reload(ctx context.Context) error { return t.rows.Reload(ctx) }

// close lets go of the database.
func (t *tlsTable) close() {
	if t != nil && t.db != nil {
		_ = t.db.Close() // what it says of its connections helps nobody now
	}
}

// load makes domains of the table, and sees to it that they can be used together with those of the configuration.
func (t *tlsTable) load(ctx context.Context, s store.Source) (*[]tlsstate.DomainConfig, error) {
	var list []tlsstate.DomainConfig
	all := t.base
	err := s.Load(ctx, tls_mgm.Rows(&t.cfg), func(r *store.Row) error {
		d, err := tls_mgm.Domain(r)
		if err != nil {
			return err
		}
		one := t.base
		one.Domains = []tlsstate.DomainConfig{d}
		if err := t.build(one); err != nil {
			return tls_mgm.Wrong(r, err)
		}
		list = append(list, d)
		return nil
	})
	if err == nil {
		all.Domains = append(slices.Clone(all.Domains), list...)
		err = t.build(all)
	}
	if err != nil {
		return nil, err
	}
	return &list, nil
}
