package tlsstate

import (
	"crypto/tls"
	"errors"
	"net"
	"reflect"
	"strings"
)

// said maps what crypto/tls says to who is to blame and why. It has no types
// for most of its errors, so the texts are matched by prefix, those of the
// Go release that go.mod asks for; a test makes each of them happen.
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
	{"failed to sign", BlameConfig, ReasonSign},
	{"internal error", BlameUs, ReasonInternal},
}

// classify types what crypto/tls returned. client tells our role.
func classify(err error, client bool) *Error {
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
	case errors.As(err, &header):
		return &Error{Blame: BlamePeer, Reason: ReasonNotTLS, Detail: header.Msg, Err: err}
	case errors.As(err, &op):
		if e := alerted(op, client); e != nil {
			return e
		}
	}
	detail := strings.TrimPrefix(err.Error(), "tls: ")
	for _, s := range said {
		if strings.HasPrefix(detail, s.prefix) {
			return &Error{Blame: s.blame, Reason: s.reason, Detail: detail, Err: err}
		}
	}
	return &Error{Blame: BlamePeer, Reason: ReasonProtocol, Detail: detail, Err: err}
}

// alerted types an alert, received or sent; nil when the error is none. The
// type that crypto/tls has for alerts is its own, a uint8.
func alerted(op *net.OpError, client bool) *Error {
	v := reflect.ValueOf(op.Err)
	if v.Kind() != reflect.Uint8 {
		return nil
	}
	code := uint8(v.Uint())
	if op.Op == "remote error" {
		e := &Error{Blame: BlamePeer, Reason: reasonAlertReceived + alertName(code), Err: op}
		if client && aboutCertificate(code) {
			e.Blame = BlameConfig
			e.Detail = "the server does not accept our certificate, or misses one"
		}
		return e
	}
	e := &Error{Blame: BlamePeer, Reason: reasonAlertSent + alertName(code), Err: op}
	if code == alertInternalError {
		e.Blame = BlameUs
	}
	return e
}

// The alerts that are told from others (RFC 8446 6, RFC 6066 3).
const (
	alertBadCertificate      = 42
	alertUnknownCA           = 48
	alertAccessDenied        = 49
	alertInternalError       = 80
	alertUnrecognizedName    = 112
	alertCertificateRequired = 116
)

// aboutCertificate tells whether an alert is about the certificate of whom it
// is sent to.
func aboutCertificate(code uint8) bool {
	return code >= alertBadCertificate && code <= 46 || code == alertUnknownCA ||
		code == alertAccessDenied || code == alertCertificateRequired
}

var alertNames = map[uint8]string{
	0:                        "close_notify",
	10:                       "unexpected_message",
	20:                       "bad_record_mac",
	21:                       "decryption_failed",
	22:                       "record_overflow",
	30:                       "decompression_failure",
	40:                       "handshake_failure",
	41:                       "no_certificate",
	alertBadCertificate:      "bad_certificate",
	43:                       "unsupported_certificate",
	44:                       "certificate_revoked",
	45:                       "certificate_expired",
	46:                       "certificate_unknown",
	47:                       "illegal_parameter",
	alertUnknownCA:           "unknown_ca",
	alertAccessDenied:        "access_denied",
	50:                       "decode_error",
	51:                       "decrypt_error",
	60:                       "export_restriction",
	70:                       "protocol_version",
	71:                       "insufficient_security",
	alertInternalError:       "internal_error",
	86:                       "inappropriate_fallback",
	90:                       "user_canceled",
	100:                      "no_renegotiation",
	109:                      "missing_extension",
	110:                      "unsupported_extension",
	111:                      "certificate_unobtainable",
	alertUnrecognizedName:    "unrecognized_name",
	113:                      "bad_certificate_status_response",
	114:                      "bad_certificate_hash_value",
	115:                      "unknown_psk_identity",
	alertCertificateRequired: "certificate_required",
	120:                      "no_application_protocol",
	121:                      "ech_required",
}

// alertName gives the name of an alert; "unknown" for one that has none, so
// that a peer cannot make up labels.
func alertName(code uint8) string {
	if name, ok := alertNames[code]; ok {
		return name
	}
	return "unknown"
}
