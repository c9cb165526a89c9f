package tlstest

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

func TestRefusing(t *testing.T) {
	addr := Refusing(t).String()
	if c, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v, %v", c, err)
	}
	if l, err := net.Listen("tcp", addr); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("%v, %v: somebody else is given the port", l, err)
	}
}
