package script

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/regular"
)

// tlsPlace is a parameter of a TLS domain.
type tlsPlace struct {
	role         tlsstate.Role
	domain, name string
}

// PlaceTLS notes where a parameter of a TLS domain was set, for errors about it.
func (c *Config) PlaceTLS(role tlsstate.Role, domain, param string, at Pos) {
	if c.tlsPlaces == nil {
		c.tlsPlaces = make(map[tlsPlace][]Pos)
	}
	key := tlsPlace{role, domain, param}
	c.tlsPlaces[key] = append(c.tlsPlaces[key], at)
}

// placeOf gives where a parameter of a domain was set; no place when it was not. A
// list or folder counts where it was set last, certificates and keys one by one.
func (c *Config) placeOf(role tlsstate.Role, domain, param string, index int) Pos {
	all := c.tlsPlaces[tlsPlace{role, domain, param}]
	switch {
	case len(all) == 0:
		return Pos{}
	case param == "certificate" || param == "private_key":
		return all[min(index, len(all)-1)]
	default:
		return all[len(all)-1]
	}
}

// Locate tells where in the configuration an error of tlsstate.Build comes from: for
// each *tlsstate.DomainError in it the file, line and column of the parameter that
// names what is wrong, else of the domain's declaration. Other errors come back as
// they are.
func (c *Config) Locate(err error) error {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	var located Errors
	for _, err := range list {
		var d *tlsstate.DomainError
		if !errors.As(err, &d) {
			return errors.Join(list...)
		}
		at := c.placeOf(d.Role, d.Domain, d.Param, d.Index)
		if !at.IsValid() {
			at = c.placeOf(d.Role, d.Domain, declaration(d.Role), 0)
		}
		if !at.IsValid() {
			return errors.Join(list...)
		}
		located = append(located, errorAt(at, "TLS: "+d.Error()))
	}
	return located
}

// declaration is the parameter that declares a domain.
func declaration(role tlsstate.Role) string {
	if role == tlsstate.Server {
		return "server_domain"
	}
	return "client_domain"
}

func errorAt(at Pos, msg string) *Error {
	return &Error{File: at.File(), Line: at.Line(), Col: at.Col(), Msg: msg}
}

// CheckValidity tells of the certificates of the TLS domains that are not valid at a
// time: who starts with one serves nobody. nil: all are. Files that cannot be read
// are passed over, tlsstate.Build tells of them.
func (c *Config) CheckValidity(now time.Time) error {
	var wrong Errors
	for i := range c.TLS.Domains {
		d := &c.TLS.Domains[i]
		for n, pair := range d.Certificates {
			text, err := regular.Read(pair.CertificateFile)
			if err != nil {
				continue
			}
			block, _ := pem.Decode(text)
			if block == nil {
				continue
			}
			leaf, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				continue
			}
			at := c.placeOf(d.Role, d.Name, "certificate", n)
			what := "the certificate " + pair.CertificateFile + " of the " + d.Role.String() + " domain " + d.Name
			switch {
			case now.After(leaf.NotAfter):
				wrong = append(wrong, errorAt(at, what+" has expired: it was valid until "+leaf.NotAfter.Format(time.RFC3339)))
			case now.Before(leaf.NotBefore):
				wrong = append(wrong, errorAt(at, what+" is not valid yet: it will be from "+leaf.NotBefore.Format(time.RFC3339)))
			}
		}
	}
	if wrong == nil {
		return nil
	}
	return wrong
}
