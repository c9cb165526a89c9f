// Package system starts the systems that the comparison sets side by side, each with an equivalent configuration: TLS
// on one loopback address, OPTIONS answered 200 without a transaction, anything else forwarded by its Request-URI over
// TLS, INVITE with Record-Route, requests within a dialog by their Route.
//
// The systems are other people's programs where those are installed, so nothing here is needed to build or test the
// engine. What is missing is told with Debian's package name.
package system
