//go:build openssl

package e2e

func init() { tlsLibrary = "openssl" }
