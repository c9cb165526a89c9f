package tlsstate

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"

	"sipreactor/tlsstate/internal/wire"
)

// said maps what crypto/tls says to who is to blame and why. It has no types
// for most of its errors, so the texts are matched by prefix, those of the
// Go release that go.mod asks for; a test looks for each of them in its source.
var said = []struct {
	prefix string
	blame  Blame
	reason string
}{
	{"client offered only unsupported versions", BlamePeer, ReasonVersion},
	{"server selected unsupported protocol version", BlamePeer, ReasonVersion},
	{"no supported versions satisfy", BlameConfig, ReasonVersion},
	{"no cipher suite supported by both", BlamePeer, ReasonCipher},
	{"server chose an unconfigured cipher suite", BlamePeer, ReasonCipher},
	{"no key exchanges supported by both", BlamePeer, ReasonGroup},
	{"no supported elliptic curves offered", BlamePeer, ReasonGroup},
	{"server selected unsupported group", BlamePeer, ReasonGroup},
	{"server selected unsupported curve", BlamePeer, ReasonGroup},
	{"peer doesn't support any of the certificate's", BlamePeer, ReasonSignature},
	{"missing signature_algorithms", BlamePeer, ReasonSignature},
	{"client didn't provide a certificate", BlamePeer, ReasonNoCert},
	{"received empty certificates message", BlamePeer, ReasonNoCert},
	{"failed to parse certificate", BlamePeer, ReasonCertificate},
	{"failed to parse client certificate", BlamePeer, ReasonCertificate},
	{"client certificate contains an unsupported public key", BlamePeer, ReasonCertificate},
	{"server's certificate contains an unsupported", BlamePeer, ReasonCertificate},
	{"client sent certificate containing RSA key larger", BlamePeer, ReasonCertificate},
	{"server sent certificate containing RSA key larger", BlamePeer, ReasonCertificate},
	{"certificate RSA key size too small", BlameConfig, ReasonSignature},
	{"unsupported certificate", BlameConfig, ReasonSignature},
	{"failed to sign", BlameConfig, ReasonSign},
	{"internal error", BlameUs, ReasonInternal},
}

// classify types what crypto/tls returned.
func (m *machine) classify(err error) *Error {
	var (
		ours   *Error
		header tls.RecordHeaderError
		op     *net.OpError
	)
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.Is(err, errStopped):
		return &Error{Blame: BlameUs, Reason: ReasonStopped, Err: err}
	case errors.Is(err, io.EOF):
		return m.alertReceived(wire.AlertCloseNotify, err)
	case errors.As(err, &header):
		return &Error{Blame: BlamePeer, Reason: ReasonNotTLS, Detail: header.Msg, Err: err}
	case errors.As(err, &op):
		if code, ok := alertOf(op); ok && op.Op == "remote error" {
			return m.alertReceived(code, err)
		} else if ok {
			return m.alertSent(code, err)
		}
	}
	detail := strings.TrimPrefix(err.Error(), "tls: ")
	for _, s := range said {
		if strings.HasPrefix(detail, s.prefix) {
			if s.reason == ReasonCertificate && strings.Contains(detail, "unsupported") {
				detail += "; crypto/tls knows RSA, ECDSA and Ed25519, tls_library openssl more"
			}
			return &Error{Blame: s.blame, Reason: s.reason, Detail: detail, Err: err}
		}
	}
	return &Error{Blame: BlamePeer, Reason: ReasonProtocol, Detail: detail, Err: err}
}

// alertOf gives the alert in an error; false when there is none. The type that
// crypto/tls has for alerts is its own, a uint8.
func alertOf(op *net.OpError) (uint8, bool) {
	v := reflect.ValueOf(op.Err)
	if v.Kind() != reflect.Uint8 {
		return 0, false
	}
	return uint8(v.Uint()), true
}

func (m *machine) alertReceived(code uint8, err error) *Error {
	e := AlertError(BlamePeer, Alert{Code: code, Received: true}, err)
	switch {
	case !m.client: // whoever calls may think of our certificate what they like
	case m.asked && m.own == nil && (code == wire.AlertHandshakeFailure || wire.AboutCertificate(code)):
		e.Blame, e.Detail = BlameConfig, "the server asks for a certificate, and the domain has none that fits"
	case !m.asked && code == wire.AlertHandshakeFailure:
		e.Detail = "nothing in common, or its certificate has a key (RSA-PSS, Ed448) for which crypto/tls has no signature and tls_library openssl has"
	case m.own != nil && wire.AboutCertificate(code):
		e.Blame, e.Detail = BlameConfig, "the server does not accept our certificate"
	}
	return e
}

func (m *machine) alertSent(code uint8, err error) *Error {
	if code == wire.AlertBadRecordMAC && m.t.plainAlert != 0 {
		return m.alertReceived(m.t.plainAlert, err)
	}
	e := AlertError(BlamePeer, Alert{Code: code, Sent: true}, err)
	if code == wire.AlertInternalError {
		e.Blame = BlameUs
	}
	return e
}
