package tlsstate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
)

// ErrWantRead says that a machine needs more of the peer's bytes to go on.
var ErrWantRead = errors.New("tlsstate: more bytes of the peer are needed")

// Blame tells whose doing a failure is.
type Blame uint8

// Who can be to blame.
const (
	BlamePeer     Blame = iota + 1 // it broke the protocol, vanished, or is not whom we want
	BlameConfig                    // our configuration forbids or lacks something
	BlameUs                        // a fault of ours
	BlameOverload                  // a bound of ours was reached
)

// String gives the word that logs and metrics use.
func (b Blame) String() string {
	switch b {
	case BlamePeer:
		return "peer"
	case BlameConfig:
		return "configuration"
	case BlameUs:
		return "us"
	case BlameOverload:
		return "overload"
	default:
		return fmt.Sprintf("blame(%d)", uint8(b))
	}
}

// The reasons of an Error: short, stable, fit to be a metric's label.
const (
	ReasonPlainText    = "plain text"      // the peer does not speak TLS
	ReasonVersion      = "version"         // no TLS version in common
	ReasonNoCommon     = "no common"       // no cipher suite, group or signature in common
	ReasonCertificate  = "certificate"     // the peer's certificate was not accepted
	ReasonNoCert       = "no certificate"  // the peer sent none and has to
	ReasonAlert        = "alert"           // the peer refused, with an alert
	ReasonEOF          = "unexpected end"  // the peer vanished
	ReasonProtocol     = "protocol"        // the peer broke the protocol
	ReasonRejected     = "rejected domain" // no server domain matches
	ReasonNoDomain     = "no domain"       // no client domain matches
	ReasonTooMuch      = "too much data"   // more handshake bytes than any handshake has
	ReasonStopped      = "stopped"         // the machine was stopped
	ReasonInternal     = "internal"        // a fault of ours
	ReasonWrongPhase   = "wrong phase"     // a call that the phase does not allow
	ReasonBadSetup     = "configuration"   // a domain that cannot be built
	ReasonUnknownThing = "unknown name"    // a domain asked for by a name that is none
)

// Error is a failure with the side to blame.
type Error struct {
	Blame Blame
	// Reason is one of the Reason constants.
	Reason string
	// Detail is a text for people; it never holds secrets.
	Detail string
	// Err is the cause; may be nil.
	Err error
}

// Error gives "reason: detail".
func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Reason
	}
	return e.Reason + ": " + e.Detail
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Rejected tells that no server domain is for this peer.
func (e *Error) Rejected() bool { return e.Reason == ReasonRejected }

// classify types what crypto/tls says.
func classify(err error) *Error {
	var (
		ours   *Error
		alert  tls.AlertError
		header tls.RecordHeaderError
		verify *tls.CertificateVerificationError
		auth   x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &header):
		return &Error{Blame: BlamePeer, Reason: ReasonPlainText, Detail: spoken(header.RecordHeader[:]), Err: err}
	case errors.As(err, &alert):
		return &Error{Blame: BlamePeer, Reason: ReasonAlert, Detail: alert.Error(), Err: err}
	case errors.As(err, &verify), errors.As(err, &auth):
		return &Error{Blame: BlamePeer, Reason: ReasonCertificate, Detail: err.Error(), Err: err}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{Blame: BlamePeer, Reason: ReasonEOF, Err: err}
	case errors.Is(err, errStopped):
		return &Error{Blame: BlameUs, Reason: ReasonStopped, Err: err}
	}
	detail := trimPrefix(err.Error())
	reason := ReasonProtocol
	switch detail {
	case "client didn't provide a certificate":
		reason = ReasonNoCert
	case "no cipher suite supported by both client and server",
		"client offered no compatible key exchange", "peer doesn't support any of the certificate's signature algorithms":
		reason = ReasonNoCommon
	default:
		if hasPrefix(detail, "client offered only unsupported versions") || hasPrefix(detail, "server selected unsupported protocol version") {
			reason = ReasonVersion
		}
	}
	return &Error{Blame: BlamePeer, Reason: reason, Detail: detail, Err: err}
}

// trimPrefix takes crypto/tls's own name off its messages.
func trimPrefix(s string) string {
	if hasPrefix(s, "tls: ") {
		return s[len("tls: "):]
	}
	return s
}

func hasPrefix(s, p string) bool { return len(s) >= len(p) && s[:len(p)] == p }

// spoken guesses what a peer speaks that does not speak TLS.
func spoken(first []byte) string {
	for _, method := range []string{"GET ", "POST", "HEAD", "PUT ", "HTTP"} {
		if hasPrefix(string(first), method) {
			return "the peer speaks HTTP"
		}
	}
	for _, b := range first {
		if b != ' ' && b != '/' && b != '.' && (b < '0' || b > '9') && (b|0x20 < 'a' || b|0x20 > 'z') {
			return "the peer does not speak TLS"
		}
	}
	return "the peer speaks plain text, SIP perhaps"
}
