// Package uac_auth is OpenSIPS' module uac_auth: the credentials by which this server
// answers challenges, fixed ones and those of AVPs, for uac, uac_registrant and others.
//
// A password can be given as its HA1, 0x and 32 hexadecimal digits for MD5, or 64 for
// SHA-256 and SHA-512-256; such one answers challenges of its algorithm alone.
package uac_auth
