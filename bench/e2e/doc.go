// Package e2e tries the built program as an operator would: its own process, an opensips.cfg, certificates in
// files, signals, and other people's software at both ends.
//
// The calls are sipp's. Debian builds sipp without TLS, so HAProxy wraps it on both legs:
//
//	sipp uac -TCP-> haproxy -TLS-> sipreactor -TLS-> haproxy -TCP-> sipp uas
//
// With the build tag openssl, given by GOFLAGS=-tags=openssl so that the program under test gets it as well, the same
// tests run on libssl.
//
// A sipp with TLS is used directly as well. Without sipp or HAProxy the tests that need them are skipped, unless
// SIPREACTOR_E2E=require makes that a failure; SIPREACTOR_E2E=off skips the whole package.
package e2e
