package websocket

import (
	"encoding/binary"

	"github.com/gobwas/ws"

	"sipreactor/sipframe"
)

// Code is why a connection is closed (RFC 6455 7.4.1).
type Code uint16

// The codes that we close with.
const (
	Normal        = Code(ws.StatusNormalClosure)
	GoingAway     = Code(ws.StatusGoingAway)
	ProtocolError = Code(ws.StatusProtocolError)
	BadData       = Code(ws.StatusInvalidFramePayloadData)
	Violation     = Code(ws.StatusPolicyViolation)
	TooBig        = Code(ws.StatusMessageTooBig)
	OurFault      = Code(ws.StatusInternalServerError)
)

// noCode stands for a close frame without a code, which is answered with one.
const noCode = Code(1005)

// What is wrong with a stream, besides what is wrong with SIP. None can be answered.
var (
	errSize  = sipframe.Defect{Code: 400, Reason: sipframe.ReasonTooLarge}
	errUTF8  = sipframe.Defect{Code: 400, Reason: "Text Frame without UTF-8"}
	errFrame = sipframe.Defect{Code: 400, Reason: "Malformed WebSocket Frame"}
)

// errLength is a length in more bytes than it needs, or of more than 63 bits.
const errLength = ws.ProtocolError("length is not minimal")

// frameDefects are what gobwas/ws finds wrong with heads, by the names they are
// counted under.
var frameDefects = map[error]*sipframe.Defect{
	errLength:                            {Code: 400, Reason: "WebSocket Frame with a Bad Length"},
	ws.ErrProtocolOpCodeReserved:         {Code: 400, Reason: "WebSocket Frame of a Reserved Kind"},
	ws.ErrProtocolControlPayloadOverflow: {Code: 400, Reason: "WebSocket Control Frame too Large"},
	ws.ErrProtocolControlNotFinal:        {Code: 400, Reason: "WebSocket Control Frame in Fragments"},
	ws.ErrProtocolNonZeroRsv:             {Code: 400, Reason: "WebSocket Frame with Reserved Bits"},
	ws.ErrProtocolMaskRequired:           {Code: 400, Reason: "WebSocket Frame without a Mask"},
	ws.ErrProtocolMaskUnexpected:         {Code: 400, Reason: "WebSocket Frame with a Mask"},
	ws.ErrProtocolContinuationExpected:   {Code: 400, Reason: "WebSocket Message within Another"},
	ws.ErrProtocolContinuationUnexpected: {Code: 400, Reason: "WebSocket Fragment of No Message"},
}

func defectOf(err error) *sipframe.Defect {
	if d := frameDefects[err]; d != nil {
		return d
	}
	return &errFrame
}

// closed takes the payload of the peer's close frame.
func (s *Stream) closed(payload []byte) {
	s.over, s.code = true, noCode
	switch {
	case len(payload) == 0:
	case len(payload) == 1:
		s.code = ProtocolError
	default:
		code, reason := ws.ParseCloseFrameData(payload)
		if s.code = Code(code); ws.CheckCloseFrameData(code, reason) != nil {
			s.code = ProtocolError
		}
	}
}

// Over reports whether the peer has closed.
func (s *Stream) Over() bool { return s.over && s.defect == nil }

// Code is what the peer closed with, or what is to be told a peer that broke a rule;
// 1005 for a close without a code, 0 while there is neither.
func (s *Stream) Code() Code { return s.code }

// Goodbye returns the close frame of ours: with the code that was found, which is the
// answer to the peer's own close frame, or else with the one that is given.
func (s *Stream) Goodbye(code Code) []byte {
	switch s.code {
	case 0:
	case noCode:
		return appendFrame(nil, ws.OpClose, s.masks(), nil)
	default:
		code = s.code
	}
	var body [2]byte
	binary.BigEndian.PutUint16(body[:], uint16(code))
	return appendFrame(nil, ws.OpClose, s.masks(), body[:])
}
