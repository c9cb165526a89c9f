package wire

// The alerts that are told from others (RFC 8446 6, RFC 6066 3).
const (
	AlertCloseNotify         = 0
	AlertBadRecordMAC        = 20
	AlertHandshakeFailure    = 40
	AlertBadCertificate      = 42
	AlertUnknownCA           = 48
	AlertAccessDenied        = 49
	AlertProtocolVersion     = 70
	AlertInternalError       = 80
	AlertUnrecognizedName    = 112
	AlertCertificateRequired = 116
)

// AboutCertificate tells whether an alert is about the certificate of whom it
// is sent to.
func AboutCertificate(code uint8) bool {
	return code >= AlertBadCertificate && code <= 46 || code == AlertUnknownCA ||
		code == AlertAccessDenied || code == AlertCertificateRequired
}

var alertNames = map[uint8]string{
	AlertCloseNotify:         "close_notify",
	10:                       "unexpected_message",
	AlertBadRecordMAC:        "bad_record_mac",
	21:                       "decryption_failed",
	22:                       "record_overflow",
	30:                       "decompression_failure",
	AlertHandshakeFailure:    "handshake_failure",
	41:                       "no_certificate",
	AlertBadCertificate:      "bad_certificate",
	43:                       "unsupported_certificate",
	44:                       "certificate_revoked",
	45:                       "certificate_expired",
	46:                       "certificate_unknown",
	47:                       "illegal_parameter",
	AlertUnknownCA:           "unknown_ca",
	AlertAccessDenied:        "access_denied",
	50:                       "decode_error",
	51:                       "decrypt_error",
	60:                       "export_restriction",
	AlertProtocolVersion:     "protocol_version",
	71:                       "insufficient_security",
	AlertInternalError:       "internal_error",
	86:                       "inappropriate_fallback",
	90:                       "user_canceled",
	100:                      "no_renegotiation",
	109:                      "missing_extension",
	110:                      "unsupported_extension",
	111:                      "certificate_unobtainable",
	AlertUnrecognizedName:    "unrecognized_name",
	113:                      "bad_certificate_status_response",
	114:                      "bad_certificate_hash_value",
	115:                      "unknown_psk_identity",
	AlertCertificateRequired: "certificate_required",
	120:                      "no_application_protocol",
	121:                      "ech_required",
}

// AlertName gives the name of an alert; "unknown" for one that has none, so
// that a peer cannot make up labels.
func AlertName(code uint8) string {
	if name, ok := alertNames[code]; ok {
		return name
	}
	return "unknown"
}
