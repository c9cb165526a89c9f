// Package hep traces to a collector such as Homer, in HEPv3: what happens to
// the engine's connections, and SIP messages.
//
// A [Sender] has one collector, over UDP, TCP or TLS. A [Tracer] is the
// engine's Observer and makes the packets. Neither ever waits: a packet goes
// into a bounded queue or is dropped and counted, so that a collector that is
// dead, slow or comes and goes costs traffic nothing.
//
// # What is told of a connection
//
// One opening, when it is established or has failed: ACCEPTED or CONNECTED,
// with SUCCESS or FAILURE. After an opening that succeeded one CLOSED, SUCCESS
// for an orderly end, before it an ERROR if something was wrong. The source of
// an event is always the peer, its target always us, whoever connected. A
// failed handshake is told with the certificates that were seen. All packets of
// a connection have its id as correlation id, SIP messages too; a connection
// that was refused before it had an id has none.
//
// The opening of a WebSocket connection has its handshake: request and answer, without headers that might be secrets.
//
// The opening has the connection's secrets, if they are wanted, so that a
// capture decrypts in Wireshark. crypto/tls tells none of a connection that was
// resumed with TLS 1.2.
//
// # Messages
//
// [Messages] traces SIP messages as the script asks for it, decrypted, from
// where each came to where each goes: their source is who sent them.
//
// # Packets
//
// [Packet] is the wire format, both ways: [Packet.AppendTo], [Packet.Decode]
// and, for streams, [Length]. An event's payload is a JSON object or, as Homer
// 5 wants it, its values alone.
package hep
