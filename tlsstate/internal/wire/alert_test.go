package wire

import "testing"

// Labels are few, whatever a peer sends.
func TestAlertNames(t *testing.T) {
	seen := make(map[string]int)
	for code := range 256 {
		seen[AlertName(uint8(code))]++
	}
	if len(seen) != len(alertNames)+1 || seen["unknown"] != 256-len(alertNames) {
		t.Errorf("%d names, %d codes are unknown", len(seen), seen["unknown"])
	}
}

func TestAboutCertificate(t *testing.T) {
	for code, want := range map[uint8]bool{
		AlertBadCertificate: true, 44: true, 46: true, AlertUnknownCA: true, AlertAccessDenied: true, AlertCertificateRequired: true,
		AlertCloseNotify: false, AlertHandshakeFailure: false, 47: false, AlertProtocolVersion: false, AlertUnrecognizedName: false,
	} {
		if AboutCertificate(code) != want {
			t.Errorf("%s: %v", AlertName(code), !want)
		}
	}
}
