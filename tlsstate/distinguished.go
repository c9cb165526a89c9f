package tlsstate

import (
	"encoding/asn1"
	"fmt"
	"strings"
	"unicode/utf16"
)

// attribute is one fact of a distinguished name.
type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// attributeSET is a part of a distinguished name, mostly of one attribute
// (RelativeDistinguishedName, RFC 5280 4.1.2.4); encoding/asn1 knows a set by
// the end of its type's name.
type attributeSET []attribute

// The attributes that have variables of their own (RFC 5280 A.1).
var (
	commonName         = asn1.ObjectIdentifier{2, 5, 4, 3}
	serialNumber       = asn1.ObjectIdentifier{2, 5, 4, 5}
	countryName        = asn1.ObjectIdentifier{2, 5, 4, 6}
	localityName       = asn1.ObjectIdentifier{2, 5, 4, 7}
	stateOrProvince    = asn1.ObjectIdentifier{2, 5, 4, 8}
	organizationName   = asn1.ObjectIdentifier{2, 5, 4, 10}
	organizationalUnit = asn1.ObjectIdentifier{2, 5, 4, 11}
)

// attributeNames are OpenSSL's short names of attributes; others go by their
// number.
var attributeNames = map[string]string{
	"2.5.4.3":                    "CN",
	"2.5.4.4":                    "SN",
	"2.5.4.5":                    "serialNumber",
	"2.5.4.6":                    "C",
	"2.5.4.7":                    "L",
	"2.5.4.8":                    "ST",
	"2.5.4.9":                    "street",
	"2.5.4.10":                   "O",
	"2.5.4.11":                   "OU",
	"2.5.4.12":                   "title",
	"2.5.4.13":                   "description",
	"2.5.4.15":                   "businessCategory",
	"2.5.4.17":                   "postalCode",
	"2.5.4.41":                   "name",
	"2.5.4.42":                   "GN",
	"2.5.4.43":                   "initials",
	"2.5.4.46":                   "dnQualifier",
	"2.5.4.65":                   "pseudonym",
	"2.5.4.97":                   "organizationIdentifier",
	"0.9.2342.19200300.100.1.1":  "UID",
	"0.9.2342.19200300.100.1.25": "DC",
	"1.2.840.113549.1.9.1":       "emailAddress",
	"1.3.6.1.4.1.311.60.2.1.1":   "jurisdictionL",
	"1.3.6.1.4.1.311.60.2.1.2":   "jurisdictionST",
	"1.3.6.1.4.1.311.60.2.1.3":   "jurisdictionC",
}

// AttributeName returns OpenSSL's short name of an attribute of a distinguished name, or
// its number in dots.
func AttributeName(oid asn1.ObjectIdentifier) string {
	dotted := oid.String()
	if name, ok := attributeNames[dotted]; ok {
		return name
	}
	return dotted
}

// setsOf gives the parts of a distinguished name, DER, in their order; nil when
// it cannot be read, which crypto/x509 does not let happen.
func setsOf(name []byte) (sets []attributeSET) {
	if rest, err := asn1.Unmarshal(name, &sets); err != nil || len(rest) > 0 {
		return nil
	}
	return sets
}

// oneLine writes a distinguished name as X509_NAME_oneline of OpenSSL 3 does:
// "/C=US/O=Example/CN=sip.example.com", with "+" between the attributes of one
// part, a backslash before "/" and "+" in the values, and the bytes that are not
// printable ASCII as \xHH.
func oneLine(name []byte) string {
	var b strings.Builder
	for _, set := range setsOf(name) {
		for i, a := range set {
			if i == 0 {
				b.WriteByte('/')
			} else {
				b.WriteByte('+')
			}
			b.WriteString(AttributeName(a.Type) + "=")
			writeEscaped(&b, a.Value.Bytes)
		}
	}
	return b.String()
}

func writeEscaped(b *strings.Builder, value []byte) {
	for _, c := range value {
		switch {
		case c < ' ' || c > '~':
			fmt.Fprintf(b, `\x%02X`, c)
		case c == '/' || c == '+':
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteByte(c)
		}
	}
}

// firstValue gives the value of the first attribute of a type, in UTF-8.
func firstValue(name []byte, typ asn1.ObjectIdentifier) (string, bool) {
	for _, set := range setsOf(name) {
		for _, a := range set {
			if a.Type.Equal(typ) {
				return utf8Of(a.Value)
			}
		}
	}
	return "", false
}

// tagUniversalString is one that encoding/asn1 has no name for.
const tagUniversalString = 28

// utf8Of converts a string of ASN.1; false when it is of no type that names
// are made of.
func utf8Of(v asn1.RawValue) (string, bool) {
	if v.Class != asn1.ClassUniversal {
		return "", false
	}
	b := v.Bytes
	switch v.Tag {
	case asn1.TagUTF8String:
		return strings.ToValidUTF8(string(b), "\uFFFD"), true
	case asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString, asn1.TagT61String:
		runes := make([]rune, len(b)) // Latin-1, as OpenSSL takes them
		for i, c := range b {
			runes[i] = rune(c)
		}
		return string(runes), true
	case asn1.TagBMPString:
		if len(b)%2 != 0 {
			return "", false
		}
		units := make([]uint16, 0, len(b)/2)
		for ; len(b) > 0; b = b[2:] {
			units = append(units, uint16(b[0])<<8|uint16(b[1]))
		}
		return string(utf16.Decode(units)), true
	case tagUniversalString:
		if len(b)%4 != 0 {
			return "", false
		}
		runes := make([]rune, 0, len(b)/4)
		for ; len(b) > 0; b = b[4:] {
			runes = append(runes, rune(uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3])))
		}
		return string(runes), true
	default:
		return "", false
	}
}
