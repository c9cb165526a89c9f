package mi

import (
	"context"
	"strings"
	"time"

	"sipreactor/tlsstate"
)

func (n *Node) tls() []Command {
	var all []Command
	for _, t := range n.Traces {
		all = append(all, t.command())
	}
	if n.Domains != nil {
		all = append(all, Command{
			Name: "tls_list", Aliases: []string{"tls_mgm:list"}, Module: "tls_mgm",
			Help: "Lists the TLS domains, those of clients first.",
			Func: plain(func() any {
				list := []Object{}
				for _, d := range n.Domains() {
					list = append(list, describeDomain(&d))
				}
				return Object{{"Domains", list}}
			}),
		})
	}
	if n.Reload != nil {
		all = append(all, Command{
			Name: "tls_reload", Aliases: []string{"tls_mgm:reload"}, Module: "tls_mgm",
			Help: "Reads the files of the TLS domains again: all of them or, if one is wrong, none.",
			Func: func(context.Context, *Args) (any, error) {
				if err := n.Reload(); err != nil {
					return nil, Failed("Failed to reload", err.Error())
				}
				return "OK", nil
			},
		})
	}
	return all
}

// describeDomain gives OpenSIPS' members in its order, then ours. Several
// certificates or keys are divided by commas.
func describeDomain(d *tlsstate.DomainInfo) Object {
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
	return Object{
		{"name", c.Name},
		{"type", kind},
		{"IP ADDRESS FILTERS", orAll(c.MatchAddresses)},
		{"SIP DOMAIN FILTERS", orAll(c.MatchSIPDomains)},
		{"METHOD", MethodName(c.Method)},
		{"VERIFY_CERT", d.Verify},
		{"REQ_CLI_CERT", d.Require},
		{"CRL_CHECKALL", c.CRLCheckAll},
		{"CERT_FILE", strings.Join(certs, ",")},
		{"CRL_DIR", c.CRLDir},
		{"CA_FILE", c.CAFile},
		{"CA_DIR", c.CADir},
		{"PKEY_FILE", strings.Join(keys, ",")},
		{"CIPHER_LIST", c.Ciphers},
		{"DH_PARAMS_FILE", c.DHParams},
		{"EC_CURVE", c.Curves},
		{"NOT_BEFORE", moment(d.NotBefore)},
		{"NOT_AFTER", moment(d.NotAfter)},
		{"LIBRARY", d.Library},
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
