package tls_mgm

import (
	"strconv"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/tlsstate"
)

// variables are about the connection by which the message came, and the certificates
// of its ends. Without TLS they are NULL.
func variables() (all []script.Variable) {
	for _, name := range tlsstate.VariableNames() {
		v, _ := tlsstate.LookupVariable(name)
		number := numbers[name]
		all = append(all, script.Variable{Name: name, Help: help(name), Get: script.Simple(func(m *script.Machine) script.Value {
			text, ok := v.Read(m.TLS())
			if !ok {
				return script.Value{}
			}
			// A number that is too long, as serial numbers mostly are, stays text.
			if n, err := strconv.ParseInt(text, 10, 64); number && err == nil {
				return script.Int(n)
			}
			return script.Text(m.KeepString(text))
		})})
	}
	return all
}

// help tells what a variable is.
func help(name string) string {
	if h := ofConnection[name]; h != "" {
		return h
	}
	what := strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(name, "tls_peer_"), "tls_my_"), "_", " ")
	if strings.HasPrefix(name, "tls_my_") {
		return "Of our certificate: " + what + "."
	}
	return "Of the peer's certificate: " + what + "."
}

var ofConnection = map[string]string{
	"tls_version": "The version of TLS.", "tls_description": "The cipher suite, as OpenSSL describes it.",
	"tls_cipher_info": "The name of the cipher suite.", "tls_cipher_bits": "The bits of the cipher's key.",
	"tls_peer_verified": "1 if the peer's certificate was verified.", "tls_peer_revoked": "1 if the peer's certificate is revoked.",
	"tls_peer_expired": "1 if the peer's certificate has expired.", "tls_peer_selfsigned": "1 if the peer's certificate is signed by itself.",
}

// numbers are the variables that OpenSIPS gives as numbers, too.
var numbers = map[string]bool{
	"tls_cipher_bits": true, "tls_peer_version": true, "tls_my_version": true, "tls_peer_serial": true, "tls_my_serial": true,
	"tls_peer_verified": true, "tls_peer_revoked": true, "tls_peer_expired": true, "tls_peer_selfsigned": true,
}
