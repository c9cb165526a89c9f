package connection

import "testing"

// That a message found no room is remembered until the socket takes something.
func TestRefusedUntilProgress(t *testing.T) {
	c := peerConn("192.0.2.1:5061", true, nil)
	c.out.Full = true
	if c.Blocks(false); !c.HasRefused() {
		t.Error("it is forgotten though nothing was taken")
	}
	if c.Blocks(true); c.HasRefused() {
		t.Error("it counts for what is refused behind it")
	}
}
