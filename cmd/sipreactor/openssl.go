//go:build openssl

package main

import _ "sipreactor/tlsstate/openssl" // tls_library openssl
