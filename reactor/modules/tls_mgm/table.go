package tls_mgm

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/tlsstate"
)

// A database has domains besides those of the configuration. Who runs the configuration reads
// them, and builds both together.

// tableVersion is that of the layout of the table tls_mgm.
const tableVersion = 3

// tableColumns are those of the table, in the order of Domain.
var tableColumns = []string{
	"domain", "type", "match_ip_address", "match_sip_domain", "method", "verify_cert", "require_cert", "certificate", "private_key",
	"crl_check_all", "crl_dir", "ca_list", "ca_dir", "cipher_list", "dh_params", "ec_curve",
}

// Rows asks for the rows of the table, each of which is a Domain.
func Rows(t *script.TLSTable) store.Select {
	q := store.Select{Table: cmp.Or(t.Table, "tls_mgm"), Version: tableVersion, Key: cmp.Or(t.Columns["domain"], "domain")}
	for _, c := range tableColumns {
		q.Columns = append(q.Columns, cmp.Or(t.Columns[c], c))
	}
	return q
}

// Wrong tells of a row that makes no domain, with the column whose parameter is wrong.
func Wrong(r *store.Row, err error) error {
	column := -1
	if d, ok := errors.AsType[*tlsstate.DomainError](err); ok {
		column = slices.Index(tableColumns, cmp.Or(renamed[d.Param], d.Param))
	}
	return r.Fault(column, "%v", err)
}

// renamed are the parameters whose columns have names of their own.
var renamed = map[string]string{"tls_method": "method", "ciphers_list": "cipher_list"}

// Domain makes a domain of a row.
func Domain(r *store.Row) (d tlsstate.DomainConfig, err error) {
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
