// Package tls_mgm is OpenSIPS' module tls_mgm: the TLS domains, which say with what
// certificates a connection is made and who is trusted, and what is known of a
// connection's TLS.
package tls_mgm

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/tlsstate"
)

// module is the module for one configuration.
type module struct {
	cfg     *script.Config
	domains []*domain
	byAVP   script.Literal // client_tls_domain_avp
	bySIP   script.Literal // client_sip_domain_avp
	wolfSSL bool           // tls_library asks for it
}

// New makes the module for a configuration. Parameters of a domain are written
// "[domain]value", behind the domain's declaration.
func New(cfg *script.Config) *script.Module {
	m := &module{cfg: cfg}
	s := &script.Module{
		Name:    "tls_mgm",
		AtStart: true,
		Help:    "Has the TLS domains: certificates, and who is trusted.",
		Parameters: []script.Parameter{
			m.declaration("server_domain", "Declares a domain for connections that come, by its name.", tlsstate.Server),
			m.declaration("client_domain", "Declares a domain for connections of ours, by its name.", tlsstate.Client),
			m.text("match_ip_address", "The addresses that the domain is for: ip:port, ip or *, a comma list.", func(d *domain, s string) error {
				d.MatchAddresses = list(s)
				for _, a := range d.MatchAddresses {
					if !isAddressFilter(a) {
						return errors.New("is a comma list of ip:port, ip or *; " + script.Clip(a) + " is none")
					}
				}
				return nil
			}),
			m.text("match_sip_domain", "The SIP domains that the domain is for, a comma list; patterns have *.", func(d *domain, s string) error { d.MatchSIPDomains = list(s); return nil }),
			m.text("tls_method", "The versions of TLS, such as TLSv1_2-TLSv1_3.", func(d *domain, s string) error {
				if _, _, err := tlsstate.ParseMethod(s); err != nil {
					return fmt.Errorf("is wrong: %w", err)
				}
				d.Method = s
				return nil
			}),
			m.flag("verify_cert", "Has the peer's certificate verified.", func(d *domain, on *bool) { d.VerifyCert = on }),
			m.flag("require_cert", "Has clients show a certificate.", func(d *domain, on *bool) { d.RequireCert = on }),
			m.flag("verify_domain", "Has the certificate of a server name the SIP domain that is to be reached (RFC 5922).", func(d *domain, on *bool) { d.VerifyDomain = on }),
			m.flag("session_tickets", "Lets sessions be resumed.", func(d *domain, on *bool) { d.SessionTickets = on }),
			m.of("certificate", "A file with a certificate and its chain, PEM; several have several keys.", (*domain).certificate),
			m.of("private_key", "The file with the private key of the first certificate that has none, PEM.", (*domain).privateKey),
			m.of("ciphers_list", "The cipher suites, as OpenSSL writes them.", func(d *domain, v script.Literal, s string) error {
				if s == "" {
					return errNoValue
				}
				if _, err := tlsstate.ParseCiphers(s); err != nil {
					return fmt.Errorf("is wrong: %w", err)
				}
				d.Ciphers, d.ciphers = s, v.At
				return nil
			}),
			m.text("ec_curve", "The groups of key exchanges.", func(d *domain, s string) error {
				if _, err := tlsstate.ParseCurves(s); err != nil {
					return fmt.Errorf("is wrong: %w", err)
				}
				d.Curves = s
				return nil
			}),
			m.text("crl_dir", "The folder with lists of revoked certificates.", func(d *domain, s string) error { d.CRLDir = s; return nil }),
			m.flag("crl_check_all", "Has all certificates of a chain looked up in the lists.", func(d *domain, on *bool) { d.CRLCheckAll = *on }),
			m.text("ca_list", "The file with the authorities that are trusted, PEM.", func(d *domain, s string) error { d.CAFile = s; return nil }),
			m.text("ca_dir", "The folder with authorities that are trusted.", func(d *domain, s string) error { d.CADir = s; return nil }),
			m.text("accept_eku", "The purposes of certificates that are accepted: serverAuth, clientAuth, sipDomain and any, a comma list.", func(d *domain, s string) error {
				d.AcceptEKU = list(s)
				for _, u := range d.AcceptEKU {
					if u != "serverAuth" && u != "clientAuth" && u != "any" && u != "sipDomain" {
						return errors.New("is a comma list of serverAuth, clientAuth, sipDomain and any; " + script.Clip(u) + " is none")
					}
				}
				return nil
			}),
			m.text("dh_params", "The file with parameters for DHE.", func(d *domain, s string) error { d.DHParams = s; return nil }), // tlsstate warns of it
			{Name: "tls_library", Type: script.StringParam, Default: "auto", Help: "What computes TLS: auto, go, openssl or libcrypto.", Set: m.library},
			{Name: "ticket_keys_file", Type: script.StringParam, Help: "The file with the keys of session tickets, which nodes that resume each other's sessions share.", Set: m.ticketKeys},
			{Name: "ssl_keylog_file", Type: script.StringParam, Help: "The file that secrets of connections are written to, for Wireshark.", Set: func(v script.Literal) error {
				if v.Text == "" {
					return errors.New("needs the path of a file")
				}
				cfg.TLSFiles.KeyLog = v.Text
				return nil
			}},
			{Name: "ssl_keylog_filter", Type: script.StringParam, Help: "The peers whose secrets are written, a comma list of addresses and networks.", Set: m.keyLogFilter},
			{Name: "client_tls_domain_avp", Type: script.StringParam, Help: "The AVP that names the client domain of a connection that is opened.", Set: avp(&m.byAVP)},
			{Name: "client_sip_domain_avp", Type: script.StringParam, Help: "The AVP that names the SIP domain that a connection that is opened is to reach.", Set: avp(&m.bySIP)},
			{Name: "db_url", Type: script.StringParam, Help: "The database with more domains.", Set: func(v script.Literal) error { cfg.TLSTable.URL = v; return nil }},
			{Name: "db_table", Type: script.StringParam, Default: "tls_mgm", Help: "The table with domains.", Set: script.Into(&cfg.TLSTable.Table)},
		},
		Functions: []script.Function{
			{Name: "is_peer_verified", Usage: "is_peer_verified()", Help: "Reports whether the message came by TLS with a certificate of the peer's that was verified.", Routes: script.Messages,
				Build: func(*script.Args) script.Action {
					return func(x *script.Machine) int {
						s := x.TLS()
						return script.Yes(s != nil && s.Verified)
					}
				}},
		},
		Variables: variables(),
		Check:     m.check,
	}
	s.Parameters = append(s.Parameters, columns(cfg)...)
	for i := range s.Parameters {
		s.Parameters[i].Restart = true
	}
	return s
}

// columnParams are the parameters that give columns of the table other names, with the usual ones.
var columnParams = [][2]string{
	{"domain_col", "domain"}, {"match_ip_address_col", "match_ip_address"}, {"match_sip_domain_col", "match_sip_domain"},
	{"tls_method_col", "method"}, {"verify_cert_col", "verify_cert"}, {"require_cert_col", "require_cert"},
	{"certificate_col", "certificate"}, {"private_key_col", "private_key"}, {"crl_check_all_col", "crl_check_all"},
	{"crl_dir_col", "crl_dir"}, {"ca_list_col", "ca_list"}, {"ca_dir_col", "ca_dir"}, {"cipher_list_col", "cipher_list"},
	{"ciphers_list_col", "cipher_list"}, {"dh_params_col", "dh_params"}, {"ec_curve_col", "ec_curve"},
}

func columns(cfg *script.Config) (list []script.Parameter) {
	for _, p := range columnParams {
		list = append(list, script.Parameter{Name: p[0], Type: script.StringParam, Default: p[1], Help: "The name of the column " + p[1] + ".",
			Set: func(v script.Literal) error {
				if cfg.TLSTable.Columns == nil {
					cfg.TLSTable.Columns = make(map[string]string)
				}
				cfg.TLSTable.Columns[p[1]] = v.Text
				return nil
			}})
	}
	return list
}

// check checks the domains as a whole and hands them over.
func (m *module) check(l *script.Loading) {
	for _, d := range m.domains {
		for i, pair := range d.Certificates {
			if pair.PrivateKeyFile == "" {
				l.Errorf(d.keys[i], "the certificate of the %v domain %s has no private_key", d.Role, d.Name)
			}
		}
		for _, key := range d.early {
			l.Errorf(key.At, "the private_key of the %v domain %s belongs to no certificate", d.Role, d.Name)
		}
		if names := tlsstate.AlwaysOffered(d.Ciphers); len(names) > 0 {
			l.Notef(d.ciphers, "ciphers_list does not change TLS 1.3, whose suites are always offered: %s", strings.Join(names, ", "))
		}
		if d.Role == tlsstate.Server && len(d.Certificates) == 0 {
			l.Errorf(d.at, "the server domain %s has no certificate", d.Name)
		}
		if d.VerifyCert != nil && !*d.VerifyCert && d.RequireCert != nil && *d.RequireCert && d.Role == tlsstate.Server {
			l.Notef(d.at, "the domain %s requires a certificate and does not verify it: any certificate will do", d.Name)
		}
		m.cfg.TLS.Domains = append(m.cfg.TLS.Domains, d.DomainConfig)
	}
	if m.wolfSSL {
		l.Notef(l.Place("tls_library"), "tls_library: there is no machine on wolfSSL, crypto/tls takes its place")
	}
	l.ChooseTLS(m.byAVP, m.bySIP)
}

// howToBuild tells what to do about a program without libssl.
const howToBuild = `apt-get install libssl-dev, then "CGO_ENABLED=1 go build -tags openssl ./cmd/sipreactor"`

// library takes tls_library. What this program was built with decides what can be
// had.
func (m *module) library(v script.Literal) error {
	switch v.Text {
	case "auto":
		m.cfg.TLSLibrary = ""
	case "wolfssl":
		m.cfg.TLSLibrary, m.wolfSSL = tlsstate.GoLibrary, true
	case tlsstate.GoLibrary, "openssl", "libcrypto":
		if _, ok := tlsstate.LookupLibrary(v.Text); !ok {
			return errors.New(`cannot be "` + v.Text + `": this program was built without libssl; build one that has it (` + howToBuild +
				`), or take "auto" or "go"`)
		}
		m.cfg.TLSLibrary = v.Text
	default:
		return errors.New(`is "auto", "go", "libcrypto" or "openssl"`)
	}
	return nil
}

// ticketKeys reads the keys at once: a node that could not resume what the others do
// shall not start.
func (m *module) ticketKeys(v script.Literal) error {
	keys, err := tlsstate.ReadTicketKeys(v.Text)
	if err != nil {
		return errors.New("cannot be used: " + strings.TrimLeft(strings.TrimPrefix(err.Error(), "ticket_keys_file"), ": "))
	}
	m.cfg.TLSFiles.TicketKeys, m.cfg.TLS.TicketKeys = v.Text, keys
	return nil
}

func (m *module) keyLogFilter(v script.Literal) error {
	var nets []netip.Prefix
	if err := script.Networks(&nets)(v); err != nil {
		return err
	}
	m.cfg.TLS.KeyLogFilter = func(peer netip.AddrPort) bool {
		a := peer.Addr().Unmap()
		return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(a) })
	}
	return nil
}

// avp reads "name" or "$avp(name)".
func avp(to *script.Literal) func(script.Literal) error {
	return func(v script.Literal) error {
		name := v.Text
		if rest, ok := strings.CutPrefix(name, "$avp("); ok {
			name = strings.TrimSuffix(rest, ")")
		}
		if name == "" || strings.ContainsAny(name, "$() \t") {
			return errors.New(`is "$avp(name)", or the name alone`)
		}
		*to = v
		return nil
	}
}
