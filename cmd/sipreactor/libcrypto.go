//go:build openssl

package main

import _ "sipreactor/tlsstate/libcrypto" // tls_library libcrypto
