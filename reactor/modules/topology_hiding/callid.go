package topology_hiding

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// callIDs writes the Call-IDs that callees see: a prefix, a MAC of the Call-ID, and the Call-ID encrypted with the MAC as
// the nonce. The same Call-ID is always the same text, and only who has the key can read it.
type callIDs struct {
	prefix string
	key    []byte
}

const macLen = 12

func newKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key
}

func (s *callIDs) sum(label byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte{label})
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// mask encrypts or decrypts b in place.
func (s *callIDs) mask(mac, b []byte) {
	for i := 0; i < len(b); i += sha256.Size {
		for k, x := range s.sum('k', mac, []byte{byte(i >> 16), byte(i >> 8), byte(i)}) {
			if i+k < len(b) {
				b[i+k] ^= x
			}
		}
	}
}

func (s *callIDs) encode(id string) string {
	b := append(s.sum('m', []byte(id))[:macLen:macLen], id...)
	s.mask(b[:macLen], b[macLen:])
	return s.prefix + base64.RawURLEncoding.EncodeToString(b)
}

// decode gives the Call-ID of one that encode has written; ok is false for any other.
func (s *callIDs) decode(text []byte) (id []byte, ok bool) {
	rest, ok := bytes.CutPrefix(text, []byte(s.prefix))
	if !ok {
		return nil, false
	}
	b, err := base64.RawURLEncoding.AppendDecode(nil, rest)
	if err != nil || len(b) <= macLen {
		return nil, false
	}
	s.mask(b[:macLen], b[macLen:])
	if !hmac.Equal(s.sum('m', b[macLen:])[:macLen], b[:macLen]) {
		return nil, false
	}
	return b[macLen:], true
}

// rename has a message that goes to one side of the dialog carry the Call-ID that this side knows.
func rename(c *proxy.Context, d *core.Dialog, dir core.Direction) error {
	v, ok := d.Get(dialog.CalleeCallID)
	if !ok {
		return nil
	}
	id := d.CallID
	if dir == core.Downstream {
		id = v.Text
	}
	i := c.Msg.Find(sipframe.HeaderCallID)
	if i < 0 || string(c.Msg.CallID()) == id {
		return nil
	}
	return c.Replace(c.Msg.Header(i).Value, []byte(id))
}

// calleeCallID is $TH_callee_callid.
func (m *module) calleeCallID(x *script.Machine) script.Value {
	if m.dialog == nil {
		return script.Value{}
	}
	if d := m.dialog.Seen(x.Context()); d != nil {
		if v, ok := d.Get(dialog.CalleeCallID); ok {
			return script.Text(x.KeepString(v.Text))
		}
	}
	return script.Value{}
}
