package tlsstate

import (
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Variable reads one fact of a State, as a script variable of OpenSIPS's
// tls_mgm names and writes it. The zero value is none. Any goroutine.
type Variable struct {
	name string
	read func(*State) (string, bool)
}

// LookupVariable finds a variable by its name, without the "$" and compared
// with case: "tls_version", "tls_peer_subject_cn". false when there is none.
func LookupVariable(name string) (Variable, bool) {
	read, ok := variables[name]
	if !ok {
		return Variable{}, false
	}
	return Variable{name, read}, true
}

// VariableNames lists the variables, sorted.
func VariableNames() []string {
	names := make([]string, 0, len(variables))
	for name := range variables {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Name gives the name by which the variable was found.
func (v Variable) Name() string { return v.name }

// Read gives the value for a connection; false when it has none: no such
// certificate, or nothing of the kind in it. What a certificate says may hold
// any character. The values are OpenSSL's, but that a serial number is given
// whole, in decimal, where OpenSIPS cuts it to 32 bits, and that descriptions
// have no end of line.
func (v Variable) Read(s *State) (string, bool) {
	if s == nil || v.read == nil {
		return "", false
	}
	return v.read(s)
}

// variables are all there are, by name.
var variables = makeVariables()

func makeVariables() map[string]func(*State) (string, bool) {
	m := map[string]func(*State) (string, bool){
		"tls_version":      func(s *State) (string, bool) { return some(s.VersionName()) },
		"tls_description":  func(s *State) (string, bool) { return some(s.CipherDescription()) },
		"tls_cipher_info":  func(s *State) (string, bool) { return some(s.CipherName()) },
		"tls_cipher_bits":  cipherBits,
		"tls_peer_revoked": verdictIs(VerdictRevoked), "tls_peer_verified": verdictIs(VerdictOK),
		"tls_peer_expired": verdictIs(VerdictExpired), "tls_peer_selfsigned": verdictIs(VerdictSelfSigned),
	}
	sides := map[string]func(*State) *x509.Certificate{
		"tls_peer_": peerLeaf,
		"tls_my_":   func(s *State) *x509.Certificate { return s.Own },
	}
	for side, leaf := range sides {
		for name, of := range certificateFacts {
			m[side+name] = func(s *State) (string, bool) {
				if c := leaf(s); c != nil {
					return of(c)
				}
				return "", false
			}
		}
	}
	delete(m, "tls_my_notBefore") // OpenSIPS has them of the peer only
	delete(m, "tls_my_notAfter")
	return m
}

// some gives a value; an empty one is none.
func some(value string) (string, bool) { return value, value != "" }

func cipherBits(s *State) (string, bool) {
	if s.Version == 0 {
		return "", false
	}
	return strconv.Itoa(s.CipherBits()), true
}

// verdictIs is "1" if the check of the peer's chain came to a verdict, else "0".
func verdictIs(want Verdict) func(*State) (string, bool) {
	return func(s *State) (string, bool) {
		if s.Verdict() == want {
			return "1", true
		}
		return "0", true
	}
}

func peerLeaf(s *State) *x509.Certificate {
	if len(s.Peer) == 0 {
		return nil
	}
	return s.Peer[0]
}

// certificateFacts are what is read of a certificate, by the end of the name.
var certificateFacts = makeFacts()

func makeFacts() map[string]func(*x509.Certificate) (string, bool) {
	m := map[string]func(*x509.Certificate) (string, bool){
		// As it is encoded: 2 is X.509 version 3.
		"version":   func(c *x509.Certificate) (string, bool) { return strconv.Itoa(c.Version - 1), true },
		"serial":    func(c *x509.Certificate) (string, bool) { return serialOf(c.SerialNumber) },
		"notBefore": func(c *x509.Certificate) (string, bool) { return moment(c.NotBefore), true },
		"notAfter":  func(c *x509.Certificate) (string, bool) { return moment(c.NotAfter), true },
		"subject":   func(c *x509.Certificate) (string, bool) { return oneLine(c.RawSubject), true },
		"issuer":    func(c *x509.Certificate) (string, bool) { return oneLine(c.RawIssuer), true },
		"subject_serial": func(c *x509.Certificate) (string, bool) {
			return firstValue(c.RawSubject, serialNumber)
		},
	}
	for name, typ := range map[string]asn1.ObjectIdentifier{
		"cn": commonName, "locality": localityName, "country": countryName, "state": stateOrProvince,
		"organization": organizationName, "unit": organizationalUnit,
	} {
		m["subject_"+name] = func(c *x509.Certificate) (string, bool) { return firstValue(c.RawSubject, typ) }
		m["issuer_"+name] = func(c *x509.Certificate) (string, bool) { return firstValue(c.RawIssuer, typ) }
	}
	for name, tag := range map[string]int{"email": sanEmail, "hostname": sanDNS, "uri": sanURI, "ip": sanIP} {
		m["san_"+name] = func(c *x509.Certificate) (string, bool) { return firstSAN(c, tag) }
	}
	return m
}

func serialOf(n *big.Int) (string, bool) {
	if n == nil {
		return "", false
	}
	return n.String(), true
}

// moment writes a time as OpenSSL's ASN1_TIME_print does.
func moment(t time.Time) string { return t.UTC().Format("Jan _2 15:04:05 2006 GMT") }

// The kinds of subject alternative names by their tags (RFC 5280 4.2.1.6).
const (
	sanEmail = 1
	sanDNS   = 2
	sanURI   = 6
	sanIP    = 7
)

// subjectAltName is the extension's number.
var subjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// firstSAN gives the first subject alternative name of a kind, as it stands in
// the certificate.
func firstSAN(c *x509.Certificate, tag int) (string, bool) {
	for _, ext := range c.Extensions {
		if !ext.Id.Equal(subjectAltName) {
			continue
		}
		var list []asn1.RawValue
		if _, err := asn1.Unmarshal(ext.Value, &list); err != nil {
			return "", false
		}
		for _, v := range list {
			if v.Class != asn1.ClassContextSpecific || v.Tag != tag {
				continue
			}
			if tag != sanIP {
				return strings.ToValidUTF8(string(v.Bytes), "\uFFFD"), true
			}
			ip, ok := netip.AddrFromSlice(v.Bytes)
			return ip.String(), ok
		}
	}
	return "", false
}
