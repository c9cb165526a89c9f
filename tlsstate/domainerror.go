package tlsstate

import (
	"errors"
	"fmt"
)

// DomainError is what is wrong with a domain. Build joins those of all domains:
// errors.As finds the first.
type DomainError struct {
	Role   Role
	Domain string
	// Param is the parameter that names what is wrong, as the module tls_mgm calls
	// it: certificate, private_key, ca_list, ca_dir, crl_dir, tls_method, ciphers_list,
	// ec_curve, match_ip_address or match_sip_domain; "" when it is none of them. Index tells which certificate or private_key of the domain, from 0.
	Param string
	Index int
	Err   error
}

// Error gives "server domain NAME: cause".
func (e *DomainError) Error() string { return fmt.Sprintf("%v domain %s: %v", e.Role, e.Domain, e.Err) }

// Unwrap gives the cause.
func (e *DomainError) Unwrap() error { return e.Err }

// paramError is a DomainError before it is known of which domain it is. Its text is
// the cause's.
type paramError struct {
	param string
	index int
	err   error
}

func (e *paramError) Error() string { return e.err.Error() }
func (e *paramError) Unwrap() error { return e.err }

// of tells of which parameter an error is; nil stays nil.
func of(param string, index int, err error) error {
	if err == nil {
		return nil
	}
	return &paramError{param, index, err}
}

func newDomainError(cfg *DomainConfig, err error) *DomainError {
	e := &DomainError{Role: cfg.Role, Domain: cfg.Name, Err: err}
	var p *paramError
	if errors.As(err, &p) {
		e.Param, e.Index = p.param, p.index
	}
	return e
}

// parts gives the errors that are joined in err, err itself if it is one; none for
// nil.
func parts(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, parts(e)...)
	}
	return all
}
