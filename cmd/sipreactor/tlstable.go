package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

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

// tlsTableVersion is that of the layout of the table tls_mgm.
const tlsTableVersion = 3

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

// tlsColumns are those of the table, in the order of take.
var tlsColumns = []string{
	"domain", "type", "match_ip_address", "match_sip_domain", "method", "verify_cert", "require_cert", "certificate", "private_key",
	"crl_check_all", "crl_dir", "ca_list", "ca_dir", "cipher_list", "dh_params", "ec_curve",
}

// load makes domains of the table, and sees to it that they can be used together with those of the configuration.
func (t *tlsTable) load(ctx context.Context, s store.Source) (*[]tlsstate.DomainConfig, error) {
	q := store.Select{Table: cmp.Or(t.cfg.Table, "tls_mgm"), Version: tlsTableVersion, Key: cmp.Or(t.cfg.Columns["domain"], "domain")}
	for _, c := range tlsColumns {
		q.Columns = append(q.Columns, cmp.Or(t.cfg.Columns[c], c))
	}
	var list []tlsstate.DomainConfig
	all := t.base
	err := s.Load(ctx, q, func(r *store.Row) error {
		d, err := takeDomain(r)
		if err != nil {
			return err
		}
		one := t.base
		one.Domains = []tlsstate.DomainConfig{d}
		if err := t.build(one); err != nil {
			return r.Fault(-1, "%v", err)
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

// takeDomain makes a domain of a row.
func takeDomain(r *store.Row) (d tlsstate.DomainConfig, err error) {
	d.Name = r.Text(0)
	switch r.Int(1) {
	case 1:
		d.Role = tlsstate.Client
	case 2:
		d.Role = tlsstate.Server
	default:
		return d, r.Fault(1, "%s is neither 1, a client domain, nor 2, a server domain", r.Text(1))
	}
	if d.Name == "" {
		return d, r.Fault(0, "is empty")
	}
	d.MatchAddresses, d.MatchSIPDomains = commaList(r.Text(2)), commaList(r.Text(3))
	d.Method, d.Ciphers, d.DHParams, d.Curves = r.Text(4), r.Text(13), r.Text(14), r.Text(15)
	d.VerifyCert, d.RequireCert, d.CRLCheckAll = isOn(r, 5), isOn(r, 6), r.Int(9) != 0
	d.CRLDir, d.CAPEM, d.CADir = r.Text(10), []byte(r.Text(11)), r.Text(12)
	cert, key := r.Text(7), r.Text(8)
	switch {
	case (cert == "") != (key == ""):
		return d, r.Fault(8, "a certificate and its key belong together")
	case cert != "":
		d.Certificates = []tlsstate.KeyPair{{CertificatePEM: []byte(cert), PrivateKeyPEM: []byte(key)}}
	case d.Role == tlsstate.Server:
		return d, r.Fault(7, "a server domain needs a certificate")
	}
	return d, nil
}

// isOn is a switch that NULL leaves at its default.
func isOn(r *store.Row, i int) *bool {
	if r.IsNull(i) {
		return nil
	}
	on := r.Int(i) != 0
	return &on
}

func commaList(s string) (list []string) {
	for p := range strings.SplitSeq(s, ",") {
		if p = strings.TrimSpace(p); p != "" {
			list = append(list, p)
		}
	}
	return list
}
