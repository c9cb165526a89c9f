package hep

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
)

// attributes are the short names of a distinguished name's attributes, as
// OpenSSL gives them.
var attributes = map[string]string{
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
	"2.5.4.15":                   "businessCategory",
	"2.5.4.17":                   "postalCode",
	"2.5.4.42":                   "GN",
	"2.5.4.97":                   "organizationIdentifier",
	"1.2.840.113549.1.9.1":       "emailAddress",
	"0.9.2342.19200300.100.1.1":  "UID",
	"0.9.2342.19200300.100.1.25": "DC",
	"1.3.6.1.4.1.311.60.2.1.1":   "jurisdictionL",
	"1.3.6.1.4.1.311.60.2.1.2":   "jurisdictionST",
	"1.3.6.1.4.1.311.60.2.1.3":   "jurisdictionC",
}

// oneLine writes a distinguished name on one line, "/C=US/O=Example/CN=a": its
// attributes in the certificate's order, as X509_NAME_oneline of OpenSSL does,
// with text left as the UTF-8 it is.
func oneLine(name pkix.Name) string {
	var b strings.Builder
	for _, a := range name.Names {
		fmt.Fprintf(&b, "/%s=%v", attributeName(a.Type), a.Value)
	}
	return b.String()
}

func attributeName(oid asn1.ObjectIdentifier) string {
	dotted := oid.String()
	if name := attributes[dotted]; name != "" {
		return name
	}
	return dotted
}
