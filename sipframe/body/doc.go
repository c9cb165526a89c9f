// Package body finds things in the bodies of messages, in place and without
// memory of its own: the parts of a multipart body (RFC 2046 5.1), and the streams,
// attributes and codecs of an SDP (RFC 8866).
package body
