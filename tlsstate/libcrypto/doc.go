// Package libcrypto has private keys sign by OpenSSL's libcrypto, for TLS on
// crypto/tls: of a full handshake, the RSA signature is where C wins by much.
// CPU of a server's side of a full handshake in µs, the libraries in one run of
//
//	GOMAXPROCS=1 go test -tags openssl -run '^$' -bench ServerHandshake ./tlsstate/libcrypto
//
// on one core of an AMD EPYC under other load, Go 1.26 and OpenSSL 3.0:
//
//	                  go    libcrypto   openssl
//	RSA-2048, 1.2     1021  427         623
//	RSA-2048, 1.3     956   418         492
//	ECDSA P-256, 1.2  155   151         217
//	ECDSA P-256, 1.3  173   161         288
//
// Signatures with RSA, a millisecond's work, are made on threads of C's own, one
// fewer than cores: the keys are tlsstate.AsyncSigners.
//
// A program that is built with the tag openssl (cgo, libssl-dev of Debian) and
// imports the package has a library more: tls_library "libcrypto". Signer is for
// those who build domains themselves, in tlsstate.Config.Signer. Without the tag
// the package is empty.
package libcrypto
