package reason

import (
	"errors"
	"io"
	"testing"

	"sipreactor/tlsstate"
)

func TestCausesOfTLS(t *testing.T) {
	alert := &tlsstate.Error{Blame: tlsstate.BlamePeer, Alert: tlsstate.Alert{Received: true}}
	ours := &tlsstate.Error{Blame: tlsstate.BlameConfig, Reason: "x"}
	if e := OfHandshake(ours); e.Reason != HandshakeFailed || e.Blame != BlameConfig || !errors.Is(e, error(ours)) || Alerted(e) {
		t.Errorf("%v, blame %v", e, e.Blame)
	}
	if e := OfHandshake(&tlsstate.Error{Blame: tlsstate.BlameConfig, Reason: tlsstate.ReasonRejected}); e.Reason != RejectedByDomain || e.Blame != BlameConfig {
		t.Errorf("%v, blame %v", e, e.Blame)
	}
	if e := OfHandshake(io.ErrUnexpectedEOF); e.Reason != HandshakeFailed || e.Blame != BlamePeer || e.Detail == "" {
		t.Errorf("%v, blame %v", e, e.Blame)
	}
	if e := OfRead(ours); e.Reason != ReadError || e.Blame != BlameConfig {
		t.Errorf("%v, blame %v", e, e.Blame)
	}
	if e := OfRead(alert); !Alerted(e) {
		t.Errorf("%v is no alert", e)
	}
	if Alerted(Because(PeerClosed, "")) {
		t.Error("an end without a cause is an alert")
	}
}
