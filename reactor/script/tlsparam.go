package script

import (
	"net/netip"
	"strings"

	"sipreactor/tlsstate"
)

// tlsDomain is a TLS domain while its parameters are read.
type tlsDomain struct {
	tlsstate.DomainConfig
	at      Pos
	keys    []Pos     // of the certificates
	early   []Literal // private keys that stand before their certificates
	ciphers Pos       // of ciphers_list
}

// tlsMgmParams are the parameters of tls_mgm. Those of a domain are written
// "[domain]value", behind the domain's declaration.
var tlsMgmParams = map[string]*globalSpec{
	"server_domain": declareDomain(tlsstate.Server),
	"client_domain": declareDomain(tlsstate.Client),

	"match_ip_address": domainText(func(d *tlsDomain, s string) string {
		d.MatchAddresses = splitComma(s)
		for _, a := range d.MatchAddresses {
			if !isAddressFilter(a) {
				return "is a comma list of ip:port, ip or *; " + clip(a) + " is none"
			}
		}
		return ""
	}),
	"match_sip_domain": domainText(func(d *tlsDomain, s string) string {
		d.MatchSIPDomains = splitComma(s)
		return ""
	}),
	"tls_method": domainText(func(d *tlsDomain, s string) string {
		if _, _, err := tlsstate.ParseMethod(s); err != nil {
			return "is wrong: " + err.Error()
		}
		d.Method = s
		return ""
	}),
	"verify_cert":     domainFlag(func(d *tlsDomain, on *bool) { d.VerifyCert = on }),
	"require_cert":    domainFlag(func(d *tlsDomain, on *bool) { d.RequireCert = on }),
	"verify_domain":   domainFlag(func(d *tlsDomain, on *bool) { d.VerifyDomain = on }),
	"session_tickets": domainFlag(func(d *tlsDomain, on *bool) { d.SessionTickets = on }),
	"certificate":     {typ: StringParam, set: setCertificate},
	"private_key":     {typ: StringParam, set: setPrivateKey},
	"ciphers_list": {typ: StringParam, set: setDomain(func(d *tlsDomain, v Literal, s string) string {
		if s == "" {
			return noDomainValue
		}
		if _, err := tlsstate.ParseCiphers(s); err != nil {
			return "is wrong: " + err.Error()
		}
		d.Ciphers, d.ciphers = s, v.At
		return ""
	})},
	"ec_curve": domainText(func(d *tlsDomain, s string) string {
		if _, err := tlsstate.ParseCurves(s); err != nil {
			return "is wrong: " + err.Error()
		}
		d.Curves = s
		return ""
	}),
	"crl_dir":       domainText(func(d *tlsDomain, s string) string { d.CRLDir = s; return "" }),
	"crl_check_all": domainFlag(func(d *tlsDomain, on *bool) { d.CRLCheckAll = *on }),
	"ca_list":       domainText(func(d *tlsDomain, s string) string { d.CAFile = s; return "" }),
	"ca_dir":        domainText(func(d *tlsDomain, s string) string { d.CADir = s; return "" }),
	"accept_eku": domainText(func(d *tlsDomain, s string) string {
		d.AcceptEKU = splitComma(s)
		for _, u := range d.AcceptEKU {
			if u != "serverAuth" && u != "clientAuth" && u != "any" && u != "sipDomain" {
				return "is a comma list of serverAuth, clientAuth, sipDomain and any; " + clip(u) + " is none"
			}
		}
		return ""
	}),
	"dh_params":         domainText(func(d *tlsDomain, s string) string { d.DHParams = s; return "" }), // tlsstate warns of it
	"tls_library":       textParam(setTLSLibrary),
	"ticket_keys_file":  textParam(setTicketKeys),
	"ssl_keylog_file":   textParam(setKeyLog),
	"ssl_keylog_filter": textParam(setKeyLogFilter),

	"client_tls_domain_avp": textParam(func(c *settings, s string) string { return avpName(&c.domainAVP, s) }),
	"client_sip_domain_avp": textParam(func(c *settings, s string) string { return avpName(&c.sipAVP, s) }),

	"db_url":   {typ: StringParam, set: func(c *settings, v Literal) string { c.TLSTable.URL = v; return "" }},
	"db_table": textParam(func(c *settings, s string) string { c.TLSTable.Table = s; return "" }),

	"domain_col": tlsColumn("domain"), "match_ip_address_col": tlsColumn("match_ip_address"), "match_sip_domain_col": tlsColumn("match_sip_domain"),
	"tls_method_col": tlsColumn("method"), "verify_cert_col": tlsColumn("verify_cert"), "require_cert_col": tlsColumn("require_cert"),
	"certificate_col": tlsColumn("certificate"), "private_key_col": tlsColumn("private_key"), "crl_check_all_col": tlsColumn("crl_check_all"),
	"crl_dir_col": tlsColumn("crl_dir"), "ca_list_col": tlsColumn("ca_list"), "ca_dir_col": tlsColumn("ca_dir"),
	"cipher_list_col": tlsColumn("cipher_list"), "ciphers_list_col": tlsColumn("cipher_list"), "dh_params_col": tlsColumn("dh_params"), "ec_curve_col": tlsColumn("ec_curve"),
}

// tlsColumn gives a column of the table of TLS domains another name.
func tlsColumn(of string) *globalSpec {
	return textParam(func(c *settings, s string) string {
		if c.TLSTable.Columns == nil {
			c.TLSTable.Columns = make(map[string]string)
		}
		c.TLSTable.Columns[of] = s
		return ""
	})
}

// avpName reads "name" or "$avp(name)".
func avpName(name *string, s string) string {
	if rest, ok := strings.CutPrefix(s, "$avp("); ok {
		s = strings.TrimSuffix(rest, ")")
	}
	if s == "" || strings.ContainsAny(s, "$() \t") {
		return `is "$avp(name)", or the name alone`
	}
	*name = s
	return ""
}

// refusedParam is a parameter that would be missed if it did nothing.
func refusedParam(why string) *globalSpec {
	return &globalSpec{typ: AnyParam, set: func(*settings, Literal) string { return "is not supported: " + why }}
}

func declareDomain(role tlsstate.Role) *globalSpec {
	return &globalSpec{typ: StringParam, set: func(c *settings, v Literal) string {
		name := v.Text
		if name == "" || strings.ContainsAny(name, "[]") {
			return "is a name without brackets"
		}
		for _, d := range c.domains {
			if d.Name == name && d.Role == role {
				return "declares " + name + " a second time, the first is at line " + itoa(d.at.Line())
			}
		}
		d := &tlsDomain{at: v.At}
		d.Name, d.Role = name, role
		c.domains = append(c.domains, d)
		return ""
	}}
}

// setDomain hands a "[domain]value" to set. With a server and a client domain of
// one name, it is the one that was declared last.
func setDomain(set func(d *tlsDomain, v Literal, s string) string) func(c *settings, v Literal) string {
	return func(c *settings, v Literal) string {
		rest, ok := strings.CutPrefix(v.Text, "[")
		name, rest, found := strings.Cut(rest, "]")
		if !ok || !found {
			return `is written "[domain]value"`
		}
		var names []string
		for i := len(c.domains) - 1; i >= 0; i-- {
			if c.domains[i].Name == name {
				return set(c.domains[i], v, strings.TrimSpace(rest))
			}
			names = append(names, c.domains[i].Name)
		}
		return "is for the domain " + clip(name) + ", which no server_domain or client_domain before it declares" + hint(name, names)
	}
}

const noDomainValue = "has no value behind the domain"

func domainText(set func(d *tlsDomain, s string) string) *globalSpec {
	return &globalSpec{typ: StringParam, set: setDomain(func(d *tlsDomain, _ Literal, s string) string {
		if s == "" {
			return noDomainValue
		}
		return set(d, s)
	})}
}

func domainFlag(set func(d *tlsDomain, on *bool)) *globalSpec {
	return &globalSpec{typ: StringParam, set: setDomain(func(d *tlsDomain, _ Literal, s string) string {
		on := s == "1"
		if !on && s != "0" {
			return `is "[` + d.Name + `]0" or "[` + d.Name + `]1"`
		}
		set(d, &on)
		return ""
	})}
}

var setCertificate = setDomain(func(d *tlsDomain, v Literal, s string) string {
	if s == "" {
		return "has no file behind the domain"
	}
	pair := tlsstate.KeyPair{CertificateFile: s}
	if len(d.early) > 0 {
		_, pair.PrivateKeyFile, _ = strings.Cut(d.early[0].Text, "]")
		pair.PrivateKeyFile = strings.TrimSpace(pair.PrivateKeyFile)
		d.early = d.early[1:]
	}
	d.Certificates = append(d.Certificates, pair)
	d.keys = append(d.keys, v.At)
	return ""
})

// setPrivateKey takes the key of the first certificate that has none. Keys may
// stand before their certificates: the first one belongs to the first.
var setPrivateKey = setDomain(func(d *tlsDomain, v Literal, s string) string {
	if s == "" {
		return noDomainValue
	}
	for i := range d.Certificates {
		if d.Certificates[i].PrivateKeyFile == "" {
			d.Certificates[i].PrivateKeyFile = s
			return ""
		}
	}
	d.early = append(d.early, v)
	return ""
})

// finishTLS checks the domains as a whole and hands them over.
func (c *settings) finishTLS() {
	for _, d := range c.domains {
		for i, pair := range d.Certificates {
			if pair.PrivateKeyFile == "" {
				c.rep.errorf(d.keys[i], "the certificate of the %v domain %s has no private_key", d.Role, d.Name)
			}
		}
		for _, key := range d.early {
			c.rep.errorf(key.At, "the private_key of the %v domain %s belongs to no certificate", d.Role, d.Name)
		}
		if names := tlsstate.AlwaysOffered(d.Ciphers); len(names) > 0 {
			c.rep.notef(d.ciphers, "ciphers_list does not change TLS 1.3, whose suites are always offered: %s", strings.Join(names, ", "))
		}
		if d.Role == tlsstate.Server && len(d.Certificates) == 0 {
			c.rep.errorf(d.at, "the server domain %s has no certificate", d.Name)
		}
		if d.VerifyCert != nil && !*d.VerifyCert && d.RequireCert != nil && *d.RequireCert && d.Role == tlsstate.Server {
			c.rep.notef(d.at, "the domain %s requires a certificate and does not verify it: any certificate will do", d.Name)
		}
		c.TLS.Domains = append(c.TLS.Domains, d.DomainConfig)
	}
}

func splitComma(s string) []string {
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

func isAddressFilter(s string) bool {
	if s == "*" {
		return true
	}
	if _, err := netip.ParseAddrPort(s); err == nil {
		return true
	}
	_, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return err == nil
}
