// Package interop tries the built program against other people's TLS and SIP: openssl, gnutls, curl, HAProxy and
// Kamailio, each as a client and, where it can be one, as a server; and baresip as the phones of a home server, in front
// of NAT and behind it. Debian's baresip 1.0 knows MD5 alone: it gives up where a challenge names something else.
//
// Whatever the two sides say of a connection, the handshake itself decides: it passes a wire, which reads the
// version, the group, the server name, a HelloRetryRequest and a resumption out of what is in the clear. What the
// engine thinks of it comes with every answer, in the header X-Seen.
//
// Without a program its tests are skipped, unless SIPREACTOR_INTEROP=require makes that a failure;
// SIPREACTOR_INTEROP=off skips the whole package. Resumption, certificates and key updates with openssl alone are
// tried in package tlsstate, without sockets.
package interop
