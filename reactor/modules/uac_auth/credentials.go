package uac_auth

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"

	"sipreactor/reactor/digest"
)

// Credential is a user's name and password in a realm.
type Credential struct {
	User, Realm string
	// Password is the password, or with Hashed the HA1 in hexadecimal digits.
	Password string
	Hashed   bool
}

var errCredential = errors.New("is user:realm:password, and the password may be 0x and the digits of an HA1")

// ParseCredential reads user:realm:password. The password may have colons.
func ParseCredential(s string) (Credential, error) {
	user, rest, ok := strings.Cut(s, ":")
	realm, password, also := strings.Cut(rest, ":")
	if !ok || !also || user == "" || realm == "" {
		return Credential{}, errCredential
	}
	c := Credential{User: user, Realm: realm}
	return c, c.setPassword(password)
}

// NewCredential returns the credential of a user, whose password may be 0x and the digits of an HA1.
func NewCredential(user, realm, password string) (Credential, error) {
	c := Credential{User: user, Realm: realm}
	return c, c.setPassword(password)
}

// setPassword takes a password or 0x and an HA1.
func (c *Credential) setPassword(s string) error {
	c.Password, c.Hashed = s, false
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok || len(digits) != 32 && len(digits) != 64 {
		return nil
	}
	if _, err := hex.DecodeString(digits); err != nil {
		return errCredential
	}
	c.Password, c.Hashed = strings.ToLower(digits), true
	return nil
}

// ha1 appends the credential's HA1 for an algorithm; false if it has none for it.
func (c *Credential) ha1(dst []byte, a digest.Algorithm, realm []byte) ([]byte, bool) {
	if c.Hashed {
		return append(dst, c.Password...), len(c.Password) == a.HexLen()
	}
	return digest.AppendHA1(dst, a, []byte(c.User), realm, []byte(c.Password)), true
}

// Choice says which challenges are answered.
type Choice struct {
	// Algorithms are those that are taken, by name with or without -sess; nil is all.
	Algorithms map[string]bool
}

// ParseChoice reads the algorithms of uac_auth(): MD5, MD5-sess, SHA-256 ..., joined by commas.
func ParseChoice(s string) (Choice, error) {
	if strings.TrimSpace(s) == "" {
		return Choice{}, nil
	}
	c := Choice{Algorithms: make(map[string]bool)}
	for name := range strings.SplitSeq(s, ",") {
		name = strings.TrimSpace(name)
		if _, ok := digest.ParseAlgorithm(strings.TrimSuffix(strings.TrimSuffix(name, "-sess"), "-SESS")); !ok {
			return c, errors.New("the algorithms are MD5, SHA-256 and SHA-512-256, each also with -sess; " + name + " is none")
		}
		c.Algorithms[strings.ToLower(name)] = true
	}
	return c, nil
}

func (c Choice) takes(a digest.Algorithm, value []byte) bool {
	if c.Algorithms == nil {
		return true
	}
	name := strings.ToLower(a.String())
	if bytes.Contains(bytes.ToLower(value), []byte(name+"-sess")) {
		name += "-sess"
	}
	return c.Algorithms[name]
}

// Answer answers the first of some challenges for which there is a credential: values of
// WWW-Authenticate or Proxy-Authenticate. It gives the value of the header to send and
// which challenge it is for; -1 if there is a credential for none, or none can be answered.
func Answer(challenges [][]byte, credentials []Credential, choice Choice, r *digest.Request) (value []byte, which int) {
	for i, text := range challenges {
		var c digest.Challenge
		if digest.ParseChallenge(text, &c) != nil || !c.Usable() || !choice.takes(c.Algorithm, text) {
			continue
		}
		for k := range credentials {
			cred := &credentials[k]
			if !strings.EqualFold(cred.Realm, string(c.Realm)) {
				continue
			}
			ha1, ok := cred.ha1(nil, c.Algorithm, c.Realm)
			if !ok {
				continue
			}
			return c.Answer(nil, []byte(cred.User), ha1, r), i
		}
	}
	return nil, -1
}
