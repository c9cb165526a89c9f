package mi

import (
	"context"
	"strings"
	"time"

	"sipreactor/reactor/rpc"
	"sipreactor/tlsstate"
)

func (n *Node) tls() []rpc.Command {
	var all []rpc.Command
	for _, t := range n.Traces {
		all = append(all, t.command())
	}
	if n.Domains != nil {
		all = append(all, rpc.Command{
			Name: "tls_list", Aliases: []string{"tls_mgm:list"}, Module: "tls_mgm",
			Help: "Lists the TLS domains, those of clients first.",
			Func: plain(func() any {
				list := []rpc.Object{}
				for _, d := range n.Domains() {
					list = append(list, describeDomain(&d))
				}
				return rpc.Object{{Name: "Domains", Value: list}}
			}),
		})
	}
	if n.Reload != nil {
		all = append(all, rpc.Command{
			Name: "tls_reload", Aliases: []string{"tls_mgm:reload"}, Module: "tls_mgm",
			Help: "Reads the files of the TLS domains again: all of them or, if one is wrong, none.",
			Func: func(context.Context, *rpc.Args) (any, error) {
				if err := n.Reload(); err != nil {
					return nil, rpc.Failed("Failed to reload", err.Error())
				}
				return "OK", nil
			},
		})
	}
	return all
}

// describeDomain gives OpenSIPS' members in its order, then ours. Several
// certificates or keys are divided by commas.
func describeDomain(d *tlsstate.DomainInfo) rpc.Object {
	c := &d.Config
	kind := "TLS_DOMAIN_CLI"
	if c.Role == tlsstate.Server {
		kind = "TLS_DOMAIN_SRV"
	}
	var certs, keys []string
	for _, k := range c.Certificates {
		if k.CertificateFile != "" {
			certs = append(certs, k.CertificateFile)
		}
		if k.PrivateKeyFile != "" {
			keys = append(keys, k.PrivateKeyFile)
		}
	}
	return rpc.Object{
		{Name: "name", Value: c.Name},
		{Name: "type", Value: kind},
		{Name: "IP ADDRESS FILTERS", Value: orAll(c.MatchAddresses)},
		{Name: "SIP DOMAIN FILTERS", Value: orAll(c.MatchSIPDomains)},
		{Name: "METHOD", Value: MethodName(c.Method)},
		{Name: "VERIFY_CERT", Value: d.Verify},
		{Name: "REQ_CLI_CERT", Value: d.Require},
		{Name: "CRL_CHECKALL", Value: c.CRLCheckAll},
		{Name: "CERT_FILE", Value: strings.Join(certs, ",")},
		{Name: "CRL_DIR", Value: c.CRLDir},
		{Name: "CA_FILE", Value: c.CAFile},
		{Name: "CA_DIR", Value: c.CADir},
		{Name: "PKEY_FILE", Value: strings.Join(keys, ",")},
		{Name: "CIPHER_LIST", Value: c.Ciphers},
		{Name: "DH_PARAMS_FILE", Value: c.DHParams},
		{Name: "EC_CURVE", Value: c.Curves},
		{Name: "NOT_BEFORE", Value: moment(d.NotBefore)},
		{Name: "NOT_AFTER", Value: moment(d.NotAfter)},
		{Name: "LIBRARY", Value: d.Library},
	}
}

// orAll is what a list of patterns means that may be empty.
func orAll(patterns []string) []string {
	if len(patterns) == 0 {
		return []string{"*"}
	}
	return patterns
}

// versionNames are the versions of TLS as a tls_method names them, by number.
var versionNames = map[uint16]string{0x0301: "TLSv1", 0x0302: "TLSv1_1", 0x0303: "TLSv1_2", 0x0304: "TLSv1_3"}

// MethodName gives the versions that a tls_method comes to, as tls_list names
// them: one, or low-high.
func MethodName(method string) string {
	low, high, err := tlsstate.ParseMethod(method)
	switch {
	case err != nil:
		return method
	case low == high:
		return versionNames[low]
	default:
		return versionNames[low] + "-" + versionNames[high]
	}
}

// moment writes a time, "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
