package hep

import (
	"crypto/x509/pkix"
	"fmt"
	"strings"

	"sipreactor/tlsstate"
)

// oneLine writes a distinguished name on one line, "/C=US/O=Example/CN=a": its
// attributes in the certificate's order, as X509_NAME_oneline of OpenSSL does,
// with text left as the UTF-8 it is.
func oneLine(name pkix.Name) string {
	var b strings.Builder
	for _, a := range name.Names {
		fmt.Fprintf(&b, "/%s=%v", tlsstate.AttributeName(a.Type), a.Value)
	}
	return b.String()
}
