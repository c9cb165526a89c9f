package stir_shaken

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"sipreactor/sipframe"
)

// header is that of a PASSporT. The order of the fields is that of the text (RFC 8225 section 9).
type header struct {
	Alg string `json:"alg"`
	PPT string `json:"ppt"`
	Typ string `json:"typ"`
	X5U string `json:"x5u"`
}

// claims are its payload.
type claims struct {
	Attest string `json:"attest"`
	Dest   dest   `json:"dest"`
	IAT    int64  `json:"iat"`
	Orig   orig   `json:"orig"`
	OrigID string `json:"origid"`
}

type dest struct {
	TN []string `json:"tn"`
}

type orig struct {
	TN string `json:"tn"`
}

// passport is a PASSporT as it came.
type passport struct {
	headerText, payloadText []byte
	header                  header
	claims                  claims
	signed                  []byte // what the signature is of
	signature               []byte
}

var (
	errInvalid     = errors.New("no PASSporT")
	errUnsupported = errors.New("another ppt or alg")
)

const (
	alg = "ES256"
	ppt = "shaken"
)

// identityOf returns the Identity header that counts: the first with ppt=shaken, else the first.
func identityOf(msg *sipframe.Message) (value []byte, ok bool) {
	for i := msg.Find(sipframe.HeaderIdentity); i >= 0; i = msg.FindNext(sipframe.HeaderIdentity, i) {
		v := msg.Bytes(msg.Header(i).Value)
		if _, params, _ := bytes.Cut(v, []byte(";")); paramOf(params, "ppt") == ppt {
			return v, true
		}
		if !ok {
			value, ok = v, true
		}
	}
	return value, ok
}

// paramOf returns a parameter of an Identity header, without quotes.
func paramOf(params []byte, name string) string {
	v, _ := sipframe.FindParam(append([]byte(";"), params...), name)
	return strings.Trim(string(v), `"`)
}

// read decodes an Identity header; nil for one that is no PASSporT in full form. A claim that is missing is empty.
func read(value []byte) (*passport, []byte) {
	token, params, _ := bytes.Cut(value, []byte(";"))
	token = bytes.TrimSpace(token)
	part := bytes.Split(token, []byte("."))
	if len(part) != 3 {
		return nil, nil
	}
	p := &passport{signed: token[:len(token)-len(part[2])-1]}
	var err, err2, err3 error
	p.headerText, err = base64.RawURLEncoding.DecodeString(string(part[0]))
	p.payloadText, err2 = base64.RawURLEncoding.DecodeString(string(part[1]))
	p.signature, err3 = base64.RawURLEncoding.DecodeString(string(part[2]))
	if err != nil || err2 != nil || err3 != nil || json.Unmarshal(p.headerText, &p.header) != nil || json.Unmarshal(p.payloadText, &p.claims) != nil {
		return nil, nil
	}
	return p, params
}

// parse reads an Identity header that has to be in order.
func parse(value []byte) (*passport, error) {
	p, params := read(value)
	if p == nil || paramOf(params, "info") == "" {
		return nil, errInvalid
	}
	if a, t := paramOf(params, "alg"), paramOf(params, "ppt"); a != "" && a != alg || t != "" && t != ppt || p.header.Alg != alg || p.header.PPT != ppt {
		return nil, errUnsupported
	}
	c := &p.claims
	if p.header.Typ != "passport" || p.header.X5U == "" || len(p.signature) != 64 || c.Attest != "A" && c.Attest != "B" && c.Attest != "C" ||
		len(c.Dest.TN) == 0 || c.IAT <= 0 || c.Orig.TN == "" || c.OrigID == "" {
		return nil, errInvalid
	}
	return p, nil
}

// fields are those of $identity(field); nil is the header as it came.
var fields = map[string]func(p *passport) string{
	"":        nil,
	"header":  func(p *passport) string { return string(p.headerText) },
	"x5u":     func(p *passport) string { return p.header.X5U },
	"payload": func(p *passport) string { return string(p.payloadText) },
	"attest":  func(p *passport) string { return p.claims.Attest },
	"dest":    func(p *passport) string { return strings.Join(p.claims.Dest.TN, ",") },
	"iat":     func(p *passport) string { return strconv.FormatInt(p.claims.IAT, 10) },
	"orig":    func(p *passport) string { return p.claims.Orig.TN },
	"origid":  func(p *passport) string { return p.claims.OrigID },
}

const fieldNames = "header, x5u, payload, attest, dest, iat, orig or origid in parentheses"

// sign makes an Identity header.
func sign(h *header, c *claims, key *ecdsa.PrivateKey) ([]byte, error) {
	token := encode(h)
	token = append(append(token, '.'), encode(c)...)
	sum := sha256.Sum256(token)
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return nil, err
	}
	var raw [64]byte
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	token = base64.RawURLEncoding.AppendEncode(append(token, '.'), raw[:])
	return fmt.Appendf(nil, "Identity: %s;info=<%s>;alg=%s;ppt=%s\r\n", token, h.X5U, alg, ppt), nil
}

// encode is base64url of JSON.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // structs of texts
	return base64.RawURLEncoding.AppendEncode(nil, bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// verifies reports whether the signature is that of a key.
func (p *passport) verifies(key *ecdsa.PublicKey) bool {
	sum := sha256.Sum256(p.signed)
	return ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(p.signature[:32]), new(big.Int).SetBytes(p.signature[32:]))
}
