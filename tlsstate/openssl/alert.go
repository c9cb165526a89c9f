//go:build openssl

package openssl

const (
	reasonAlertReceived = "alert received: "
	reasonAlertSent     = "alert sent: "
)

// The alerts that are told from others (RFC 8446 6, RFC 6066 3).
const (
	alertCloseNotify         = 0
	alertBadRecordMAC        = 20
	alertHandshakeFailure    = 40
	alertBadCertificate      = 42
	alertUnknownCA           = 48
	alertAccessDenied        = 49
	alertProtocolVersion     = 70
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
	alertCloseNotify:         "close_notify",
	10:                       "unexpected_message",
	alertBadRecordMAC:        "bad_record_mac",
	21:                       "decryption_failed",
	22:                       "record_overflow",
	30:                       "decompression_failure",
	alertHandshakeFailure:    "handshake_failure",
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
	alertProtocolVersion:     "protocol_version",
	71:                       "insufficient_security",
	80:                       "internal_error",
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
