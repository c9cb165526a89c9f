package registrar

import (
	"bytes"

	"sipreactor/reactor/location"
	"sipreactor/sipframe"
)

// methods returns what Allow says a contact takes.
func (r *Registration) methods(msg *sipframe.Message) uint32 {
	i := msg.Find(sipframe.HeaderAllow)
	if i < 0 {
		return location.AllMethods
	}
	var bits uint32
	for ; i >= 0; i = msg.FindNext(sipframe.HeaderAllow, i) {
		bits |= methodBits(msg.Bytes(msg.Header(i).Value))
	}
	return bits
}

// methodBits returns the methods of a list as bits. What is not known is one bit.
func methodBits(list []byte) (bits uint32) {
	for one := range bytes.SplitSeq(list, []byte{','}) {
		if one = bytes.TrimSpace(one); len(one) > 0 {
			bits |= methodBit(sipframe.MethodOf(one))
		}
	}
	return bits
}

// methodBit is the bit of a method, as OpenSIPS numbers them.
func methodBit(m sipframe.Method) uint32 {
	switch m {
	case sipframe.INVITE:
		return 1
	case sipframe.CANCEL:
		return 2
	case sipframe.ACK:
		return 4
	case sipframe.BYE:
		return 8
	case sipframe.INFO:
		return 16
	case sipframe.OPTIONS:
		return 32
	case sipframe.UPDATE:
		return 64
	case sipframe.REGISTER:
		return 128
	case sipframe.MESSAGE:
		return 256
	case sipframe.SUBSCRIBE:
		return 512
	case sipframe.NOTIFY:
		return 1024
	case sipframe.PRACK:
		return 2048
	case sipframe.REFER:
		return 4096
	case sipframe.PUBLISH:
		return 8192
	case sipframe.OtherMethod:
		return 16384
	default:
		return 16384
	}
}
