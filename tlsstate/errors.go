package tlsstate

import (
	"errors"
	"fmt"
	"runtime/debug"

	"sipreactor/tlsstate/internal/wire"
)

// ErrWantRead says that a machine needs more of the peer's bytes to go on. It
// is no failure and always this very value.
var ErrWantRead = errors.New("tlsstate: more bytes of the peer are needed")

// Blame tells whose doing a failure is.
type Blame uint8

// Who can be to blame.
const (
	BlameNone     Blame = iota // nobody: an orderly end
	BlamePeer                  // it broke the protocol, refused us, or is not whom we want
	BlameConfig                // our configuration forbids or lacks something
	BlameUs                    // a fault of ours, or a call that the phase does not allow
	BlameOverload              // a bound of ours was reached
)

// String gives the word that logs and metrics use.
func (b Blame) String() string {
	switch b {
	case BlameNone:
		return "none"
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

// The reasons of an Error: short, stable, few enough to be a metric's label.
// Besides these there are "alert received: NAME" and "alert sent: NAME" with
// the names of RFC 8446 6.
const (
	ReasonPlainText    = "plain text"                    // the peer speaks SIP, HTTP or other text, without TLS
	ReasonNotTLS       = "not TLS"                       // the peer sends something that is no TLS record
	ReasonVersion      = "no common version"             // no TLS version that both allow
	ReasonCipher       = "no common cipher"              // no cipher suite that both allow
	ReasonGroup        = "no common group"               // no key exchange group that both allow
	ReasonSignature    = "no common signature"           // our certificate's key fits nothing that the peer can check
	ReasonNoCert       = "no certificate"                // the peer sent none and has to
	ReasonExpired      = "certificate expired"           // a certificate of the peer's chain
	ReasonNotYetValid  = "certificate not yet valid"     // a certificate of the peer's chain
	ReasonSelfSigned   = "certificate self-signed"       // and not among our authorities
	ReasonAuthority    = "certificate authority unknown" // the peer's chain ends at none of our authorities
	ReasonRevoked      = "certificate revoked"           // by its issuer's CRL
	ReasonNoRevocation = "revocation unknown"            // crl_dir has no usable CRL of an issuer
	ReasonName         = "certificate names another"     // not the SIP domain that we meant (RFC 5922)
	ReasonUsage        = "certificate usage"             // none of accept_eku
	ReasonCertificate  = "certificate invalid"           // anything else that is wrong with the peer's chain
	ReasonProtocol     = "protocol violation"            // the peer broke the protocol
	ReasonTooMuch      = "handshake too large"           // more handshake bytes than any handshake has
	ReasonRejected     = "rejected by domain"            // no server domain is for this peer
	ReasonNoDomain     = "no client domain"              // no client domain matches, or none has that name
	ReasonSign         = "signing failed"                // our private key, or who keeps it, gave no signature
	ReasonStopped      = "stopped"                       // the machine was stopped
	ReasonWrongPhase   = "wrong phase"                   // a call that the phase does not allow
	ReasonInternal     = "internal error"                // a fault of ours
)

// Alert is what one side said before it ended a connection (RFC 8446 6). The zero
// value is none.
type Alert struct {
	Code           uint8
	Received, Sent bool
}

// reason returns what an Error over the alert has as its reason.
func (a Alert) reason() string {
	if a.Sent {
		return "alert sent: " + wire.AlertName(a.Code)
	}
	return "alert received: " + wire.AlertName(a.Code)
}

// Error is a failure with the side to blame. It is not changed once made.
type Error struct {
	Blame Blame
	// Reason is one of the Reason constants, or names the alert.
	Reason string
	// Alert is the alert that the connection ended with; zero for another reason.
	Alert Alert
	// Detail is a text for people; it never holds secrets.
	Detail string
	// Err is the cause; may be nil.
	Err error
}

// AlertError returns the failure that an alert is.
func AlertError(blame Blame, a Alert, cause error) *Error {
	return &Error{Blame: blame, Reason: a.reason(), Alert: a, Err: cause}
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

// Panic is the cause of an Error whose reason is ReasonInternal where something has panicked.
type Panic struct {
	Value any
	Stack []byte // of the goroutine
}

// Error gives the value as a text.
func (p *Panic) Error() string { return fmt.Sprint(p.Value) }

// Panicked makes the Error of a panic that was recovered with a value. Whoever recovered it
// calls this.
func Panicked(value any) *Error {
	p := &Panic{Value: value, Stack: debug.Stack()}
	return &Error{Blame: BlameUs, Reason: ReasonInternal, Detail: p.Error(), Err: p}
}
