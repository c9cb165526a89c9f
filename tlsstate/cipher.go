package tlsstate

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// suite is a cipher suite of TLS 1.2 or before as OpenSSL knows it: its name,
// and the words by which a cipher list can mean it.
type suite struct {
	id    uint16
	name  string
	bits  int
	words []string
	weak  bool // not among crypto/tls's defaults; only when it is named
}

// suites are those that crypto/tls has, the ones without forward secrecy and
// with CBC and SHA-256 among them only for who names them.
var suites = []suite{
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256", 128, words("ECDHE ECDSA AES AES128 AESGCM SHA256"), false},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256", 128, words("ECDHE RSA AES AES128 AESGCM SHA256"), false},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384", 256, words("ECDHE ECDSA AES AES256 AESGCM SHA384"), false},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384", 256, words("ECDHE RSA AES AES256 AESGCM SHA384"), false},
	{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305", 256, words("ECDHE ECDSA CHACHA20"), false},
	{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305", 256, words("ECDHE RSA CHACHA20"), false},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "ECDHE-ECDSA-AES128-SHA", 128, words("ECDHE ECDSA AES AES128 SHA SHA1"), false},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "ECDHE-RSA-AES128-SHA", 128, words("ECDHE RSA AES AES128 SHA SHA1"), false},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "ECDHE-ECDSA-AES256-SHA", 256, words("ECDHE ECDSA AES AES256 SHA SHA1"), false},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, "ECDHE-RSA-AES256-SHA", 256, words("ECDHE RSA AES AES256 SHA SHA1"), false},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, "ECDHE-ECDSA-AES128-SHA256", 128, nil, true},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, "ECDHE-RSA-AES128-SHA256", 128, nil, true},
	{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, "AES128-GCM-SHA256", 128, nil, true},
	{tls.TLS_RSA_WITH_AES_256_GCM_SHA384, "AES256-GCM-SHA384", 256, nil, true},
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA256, "AES128-SHA256", 128, nil, true},
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA, "AES128-SHA", 128, nil, true},
	{tls.TLS_RSA_WITH_AES_256_CBC_SHA, "AES256-SHA", 256, nil, true},
}

func words(s string) []string { return strings.Fields(s) }

// synonyms are other words of OpenSSL for the same.
var synonyms = map[string]string{
	"KECDHE": "ECDHE", "EECDH": "ECDHE", "KEECDH": "ECDHE",
	"AECDSA": "ECDSA", "ARSA": "RSA", "CHACHA20-POLY1305": "CHACHA20",
	"ALL": "", "DEFAULT": "", "COMPLEMENTOFDEFAULT": "-", "HIGH": "", "TLSV1.2": "",
}

// suiteNames are IANA's names of what crypto/tls has: tls.CipherSuiteName makes
// the whole list each time.
var suiteNames = func() map[uint16]string {
	names := make(map[uint16]string)
	for _, c := range tls.CipherSuites() {
		names[c.ID] = c.Name
	}
	return names
}()

func suiteByID(id uint16) *suite {
	for i := range suites {
		if suites[i].id == id {
			return &suites[i]
		}
	}
	return nil
}

// ParseCiphers reads the value of ciphers_list, for TLS 1.2 and before: names
// of OpenSSL or IANA with ":" between them, and of OpenSSL's cipher list
// language the words for what is offered here (HIGH, DEFAULT, ECDHE, ECDSA,
// AES256, AESGCM, CHACHA20 …), "+" between words that must all hold, and "!"
// or "-" before what is left out. "@" directives are passed over, and so are
// suites of TLS 1.3, which are always offered (AlwaysOffered). The order does
// not matter: crypto/tls has its own. "" gives nil, crypto/tls's defaults; a
// list of TLS 1.3's suites alone gives an empty one that is not nil: there is no
// TLS before 1.3 then, see Versions.
func ParseCiphers(s string) ([]uint16, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	list, banned, always := []uint16{}, []uint16(nil), false
	for _, token := range cipherTokens(s) {
		switch token[0] {
		case '@':
			continue
		case '!', '-':
			ids := meant(token[1:])
			list = slices.DeleteFunc(list, func(id uint16) bool { return slices.Contains(ids, id) })
			if token[0] == '!' {
				banned = append(banned, ids...)
			}
			continue
		}
		if alwaysOffered(token) {
			always = true
			continue
		}
		ids := meant(strings.TrimPrefix(token, "+"))
		if len(ids) == 0 {
			return nil, fmt.Errorf("ciphers_list: %s", unsupported(token))
		}
		for _, id := range ids {
			if !slices.Contains(list, id) && !slices.Contains(banned, id) {
				list = append(list, id)
			}
		}
	}
	if len(list) == 0 && !always {
		return nil, fmt.Errorf("ciphers_list %q leaves no cipher suite", s)
	}
	return list, nil
}

// AlwaysOffered gives the names in a ciphers_list that are suites of TLS 1.3,
// which no list turns on or off.
func AlwaysOffered(list string) (names []string) {
	for _, token := range cipherTokens(list) {
		if alwaysOffered(token) {
			names = append(names, token)
		}
	}
	return names
}

func cipherTokens(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ':' || r == ',' || r == ' ' })
}

// alwaysOffered tells whether a name is a suite of TLS 1.3.
func alwaysOffered(name string) bool {
	if len(name) < 4 || !strings.EqualFold(name[:4], "TLS_") {
		return false
	}
	for _, c := range tls.CipherSuites() {
		if strings.EqualFold(c.Name, name) {
			return slices.Equal(c.SupportedVersions, []uint16{tls.VersionTLS13})
		}
	}
	return false
}

// Versions gives the lowest and the highest version of TLS that a domain speaks
// by its tls_method and ciphers_list: a list that names suites of TLS 1.3 alone
// leaves no version before.
func Versions(method, ciphers string) (low, high uint16, err error) {
	if low, high, err = ParseMethod(method); err != nil {
		return low, high, err
	}
	list, err := ParseCiphers(ciphers)
	if err != nil || list == nil || len(list) > 0 || low >= tls.VersionTLS13 {
		return low, high, err
	}
	if high < tls.VersionTLS13 {
		return low, high, fmt.Errorf("ciphers_list %q names suites of TLS 1.3 alone, and tls_method is %s", ciphers, method)
	}
	return tls.VersionTLS13, high, nil
}

// meant gives the suites that a name or words stand for.
func meant(token string) (ids []uint16) {
	token = strings.ToUpper(token)
	for i := range suites {
		if suites[i].name == token || tls.CipherSuiteName(suites[i].id) == token {
			return []uint16{suites[i].id}
		}
	}
	want := strings.Split(token, "+")
	for i, w := range want {
		if other, ok := synonyms[w]; ok {
			want[i] = other
		}
	}
	for i := range suites {
		if !suites[i].weak && suites[i].all(want) {
			ids = append(ids, suites[i].id)
		}
	}
	return ids
}

// all tells whether all of the words hold for a suite; "" always does.
func (s *suite) all(want []string) bool {
	for _, w := range want {
		if w != "" && !slices.Contains(s.words, w) {
			return false
		}
	}
	return true
}

// unsupported says what is wrong with a name and what there is.
func unsupported(token string) string {
	var names []string
	for i := range suites {
		names = append(names, suites[i].name)
	}
	return fmt.Sprintf("%s is not supported; there are %s", token, strings.Join(names, ", "))
}
