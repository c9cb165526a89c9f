package signaling

import "sipreactor/sipframe"

// Unsupported returns the header Unsupported for a request that is answered here, of the options in Require that are not
// among known; "" if there is none, else the answer is 420 (RFC 3261 8.2.2.3).
func Unsupported(msg *sipframe.Message, known ...string) string {
	var b []byte
	values := msg.Values(sipframe.HeaderRequire)
next:
	for v, ok := values.Next(); ok; v, ok = values.Next() {
		option := msg.Bytes(v)
		for _, k := range known {
			if sipframe.EqualFold(option, k) {
				continue next
			}
		}
		if !sipframe.IsToken(option) {
			continue
		}
		if len(b)+len(option) > maxUnsupported {
			break
		}
		b = append(append(b, ", "...), option...)
	}
	if len(b) == 0 {
		return ""
	}
	return "Unsupported: " + string(b[len(", "):]) + "\r\n"
}

// maxUnsupported bounds what is answered to a hostile Require.
const maxUnsupported = 512
