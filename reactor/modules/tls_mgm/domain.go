package tls_mgm

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/tlsstate"
)

// domain is a TLS domain while its parameters are read.
type domain struct {
	tlsstate.DomainConfig
	at      script.Pos
	keys    []script.Pos     // of the certificates
	early   []script.Literal // private keys that stand before their certificates
	ciphers script.Pos       // of ciphers_list
}

var errNoValue = errors.New("has no value behind the domain")

// declaration is a parameter that declares domains.
func (m *module) declaration(param, help string, role tlsstate.Role) script.Parameter {
	return script.Parameter{Name: param, Type: script.StringParam, Help: help, Set: func(v script.Literal) error {
		name := v.Text
		if name == "" || strings.ContainsAny(name, "[]") {
			return errors.New("is a name without brackets")
		}
		for _, d := range m.domains {
			if d.Name == name && d.Role == role {
				return fmt.Errorf("declares %s a second time, the first is at line %d", name, d.at.Line())
			}
		}
		d := &domain{at: v.At}
		d.Name, d.Role = name, role
		m.domains = append(m.domains, d)
		m.cfg.PlaceTLS(role, name, param, v.At)
		return nil
	}}
}

// of is a parameter of a domain. With a server and a client domain of one name, it is
// that of the one that was declared last.
func (m *module) of(param, help string, set func(d *domain, v script.Literal, s string) error) script.Parameter {
	return script.Parameter{Name: param, Type: script.StringParam, Help: help, Set: func(v script.Literal) error {
		rest, ok := strings.CutPrefix(v.Text, "[")
		name, rest, found := strings.Cut(rest, "]")
		if !ok || !found {
			return errors.New(`is written "[domain]value"`)
		}
		var names []string
		for i := len(m.domains) - 1; i >= 0; i-- {
			if d := m.domains[i]; d.Name == name {
				if err := set(d, v, strings.TrimSpace(rest)); err != nil {
					return err
				}
				m.cfg.PlaceTLS(d.Role, name, param, v.At)
				return nil
			}
			names = append(names, m.domains[i].Name)
		}
		return errors.New("is for the domain " + script.Clip(name) + ", which no server_domain or client_domain before it declares" + script.Hint(name, names))
	}}
}

// text is a parameter of a domain that is a text.
func (m *module) text(param, help string, set func(d *domain, s string) error) script.Parameter {
	return m.of(param, help, func(d *domain, _ script.Literal, s string) error {
		if s == "" {
			return errNoValue
		}
		return set(d, s)
	})
}

// flag is a parameter of a domain that is 0 or 1.
func (m *module) flag(param, help string, set func(d *domain, on *bool)) script.Parameter {
	return m.of(param, help, func(d *domain, _ script.Literal, s string) error {
		on := s == "1"
		if !on && s != "0" {
			return errors.New(`is "[` + d.Name + `]0" or "[` + d.Name + `]1"`)
		}
		set(d, &on)
		return nil
	})
}

func (d *domain) certificate(v script.Literal, s string) error {
	if s == "" {
		return errors.New("has no file behind the domain")
	}
	pair := tlsstate.KeyPair{CertificateFile: s}
	if len(d.early) > 0 {
		_, pair.PrivateKeyFile, _ = strings.Cut(d.early[0].Text, "]")
		pair.PrivateKeyFile = strings.TrimSpace(pair.PrivateKeyFile)
		d.early = d.early[1:]
	}
	d.Certificates = append(d.Certificates, pair)
	d.keys = append(d.keys, v.At)
	return nil
}

// privateKey takes the key of the first certificate that has none. Keys may stand
// before their certificates: the first one belongs to the first.
func (d *domain) privateKey(v script.Literal, s string) error {
	if s == "" {
		return errNoValue
	}
	for i := range d.Certificates {
		if d.Certificates[i].PrivateKeyFile == "" {
			d.Certificates[i].PrivateKeyFile = s
			return nil
		}
	}
	d.early = append(d.early, v)
	return nil
}

// list reads a comma list.
func list(s string) []string {
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
