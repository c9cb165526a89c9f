//go:build openssl

package openssl

/*
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/sslerr.h>
#include "shim.h"

static int sc_err_lib(unsigned long e) { return ERR_GET_LIB(e); }
static int sc_err_reason(unsigned long e) { return ERR_GET_REASON(e); }
*/
import "C"

import (
	"strings"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/internal/wire"
)

// reasons maps those of libssl to who is to blame and why. Those that are
// not here are a protocol violation by the peer.
var reasons = map[C.int]struct {
	blame  tlsstate.Blame
	reason string
}{
	C.SSL_R_UNSUPPORTED_PROTOCOL:              {tlsstate.BlamePeer, tlsstate.ReasonVersion},
	C.SSL_R_VERSION_TOO_LOW:                   {tlsstate.BlamePeer, tlsstate.ReasonVersion},
	C.SSL_R_VERSION_TOO_HIGH:                  {tlsstate.BlamePeer, tlsstate.ReasonVersion},
	C.SSL_R_UNKNOWN_PROTOCOL:                  {tlsstate.BlamePeer, tlsstate.ReasonVersion},
	C.SSL_R_WRONG_SSL_VERSION:                 {tlsstate.BlamePeer, tlsstate.ReasonVersion},
	C.SSL_R_NO_PROTOCOLS_AVAILABLE:            {tlsstate.BlameConfig, tlsstate.ReasonVersion},
	C.SSL_R_NO_SHARED_CIPHER:                  {tlsstate.BlamePeer, tlsstate.ReasonCipher},
	C.SSL_R_NO_CIPHERS_SPECIFIED:              {tlsstate.BlamePeer, tlsstate.ReasonCipher},
	C.SSL_R_WRONG_CIPHER_RETURNED:             {tlsstate.BlamePeer, tlsstate.ReasonCipher},
	C.SSL_R_NO_SUITABLE_KEY_SHARE:             {tlsstate.BlamePeer, tlsstate.ReasonGroup},
	C.SSL_R_NO_SUITABLE_GROUPS:                {tlsstate.BlamePeer, tlsstate.ReasonGroup},
	C.SSL_R_WRONG_CURVE:                       {tlsstate.BlamePeer, tlsstate.ReasonGroup},
	C.SSL_R_BAD_KEY_SHARE:                     {tlsstate.BlamePeer, tlsstate.ReasonGroup},
	C.SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:   {tlsstate.BlamePeer, tlsstate.ReasonSignature},
	C.SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:    {tlsstate.BlamePeer, tlsstate.ReasonSignature},
	C.SSL_R_MISSING_SIGALGS_EXTENSION:         {tlsstate.BlamePeer, tlsstate.ReasonSignature},
	C.SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: {tlsstate.BlamePeer, tlsstate.ReasonNoCert},
	C.SSL_R_WRONG_VERSION_NUMBER:              {tlsstate.BlamePeer, tlsstate.ReasonNotTLS},
	C.SSL_R_HTTP_REQUEST:                      {tlsstate.BlamePeer, tlsstate.ReasonNotTLS},
	C.SSL_R_PACKET_LENGTH_TOO_LONG:            {tlsstate.BlamePeer, tlsstate.ReasonNotTLS},
	C.SSL_R_ENCRYPTED_LENGTH_TOO_LONG:         {tlsstate.BlamePeer, tlsstate.ReasonNotTLS},
	C.SSL_R_EXCESSIVE_MESSAGE_SIZE:            {tlsstate.BlamePeer, tlsstate.ReasonTooMuch},
	C.SSL_R_EE_KEY_TOO_SMALL:                  {tlsstate.BlamePeer, tlsstate.ReasonCertificate},
	C.SSL_R_CA_KEY_TOO_SMALL:                  {tlsstate.BlamePeer, tlsstate.ReasonCertificate},
	C.SSL_R_CA_MD_TOO_WEAK:                    {tlsstate.BlamePeer, tlsstate.ReasonCertificate},
	C.SSL_R_UNKNOWN_CERTIFICATE_TYPE:          {tlsstate.BlamePeer, tlsstate.ReasonCertificate},
}

// internal is a fault of ours.
func internal(detail string) *tlsstate.Error {
	return &tlsstate.Error{Blame: tlsstate.BlameUs, Reason: tlsstate.ReasonInternal, Detail: detail}
}

// classify types the failure of the last step.
func (m *machine) classify() *tlsstate.Error {
	var (
		err    = m.c.err
		reason = C.sc_err_reason(err)
		text   = "libssl gives no reason"
	)
	if s := C.ERR_reason_error_string(err); s != nil {
		text = C.GoString(s)
	}
	switch {
	case m.c.verify_error != 0 && m.domain != nil:
		return m.refused()
	case m.c.alert_in > 0 && m.c.alert_out < 0:
		return m.alertReceived(uint8(m.c.alert_in))
	case m.c.alert_out == wire.AlertBadRecordMAC:
		e := tlsstate.AlertError(tlsstate.BlamePeer, tlsstate.Alert{Code: wire.AlertBadRecordMAC, Sent: true}, nil)
		e.Detail = text
		return e
	case C.sc_err_lib(err) == C.ERR_LIB_SSL:
		if reason == C.ERR_R_INTERNAL_ERROR || reason == C.ERR_R_MALLOC_FAILURE {
			return internal(text)
		}
		if r, ok := reasons[reason]; ok {
			return &tlsstate.Error{Blame: r.blame, Reason: r.reason, Detail: text}
		}
	case err == 0 && m.c.alert_out < 0:
		return internal(text)
	}
	return &tlsstate.Error{Blame: tlsstate.BlamePeer, Reason: tlsstate.ReasonProtocol, Detail: text}
}

// refused says why the peer's chain was not accepted.
func (m *machine) refused() *tlsstate.Error {
	e := &tlsstate.Error{Blame: tlsstate.BlamePeer, Reason: tlsstate.ReasonCertificate}
	switch m.c.verify_error {
	case C.SC_REFUSED_USAGE:
		e.Reason, e.Detail = tlsstate.ReasonUsage, "none of accept_eku"
		return e
	case C.SC_REFUSED_NAME:
		e.Reason, e.Detail = tlsstate.ReasonName, "it speaks for no SIP domain"
		if m.client {
			e.Detail = m.host + " was meant, the certificate names " + m.judged().Names()
		}
		return e
	case C.X509_V_ERR_CERT_HAS_EXPIRED:
		e.Reason = tlsstate.ReasonExpired
	case C.X509_V_ERR_CERT_NOT_YET_VALID:
		e.Reason = tlsstate.ReasonNotYetValid
	case C.X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		e.Reason = tlsstate.ReasonSelfSigned
	case C.X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, C.X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
		C.X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, C.X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
		C.X509_V_ERR_CERT_SIGNATURE_FAILURE, C.X509_V_ERR_CERT_UNTRUSTED:
		e.Reason = tlsstate.ReasonAuthority
	case C.X509_V_ERR_CERT_REVOKED:
		e.Reason = tlsstate.ReasonRevoked
	case C.X509_V_ERR_UNABLE_TO_GET_CRL, C.X509_V_ERR_CRL_HAS_EXPIRED, C.X509_V_ERR_CRL_NOT_YET_VALID,
		C.X509_V_ERR_CRL_SIGNATURE_FAILURE, C.X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, C.X509_V_ERR_KEYUSAGE_NO_CRL_SIGN,
		C.X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, C.X509_V_ERR_CRL_PATH_VALIDATION_ERROR,
		C.X509_V_ERR_DIFFERENT_CRL_SCOPE, C.X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
		e.Reason, e.Blame = tlsstate.ReasonNoRevocation, tlsstate.BlameConfig
		if e.Detail = m.judged().Refusal(); e.Detail != "" {
			return e // it names the list and what is wrong with it
		}
	}
	e.Detail = strings.TrimSpace(C.GoString(C.X509_verify_cert_error_string(C.long(m.c.verify_error))))
	return e
}

// alertReceived types what the peer said.
func (m *machine) alertReceived(code uint8) *tlsstate.Error {
	e := tlsstate.AlertError(tlsstate.BlamePeer, tlsstate.Alert{Code: code, Received: true}, nil)
	switch {
	case !m.client || m.c.asked == 0: // whoever calls may think of our certificate what they like
	case len(m.domain.own) == 0 && (code == wire.AlertHandshakeFailure || wire.AboutCertificate(code)):
		e.Blame, e.Detail = tlsstate.BlameConfig, "the server asks for a certificate, and the domain has none that fits"
	case len(m.domain.own) > 0 && wire.AboutCertificate(code):
		e.Blame, e.Detail = tlsstate.BlameConfig, "the server does not accept our certificate"
	}
	return e
}
