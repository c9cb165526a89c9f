package main

import (
	"bytes"
	"strings"
	"testing"

	"sipreactor/cmd/sipreactor/load"
)

// A server that answers everything comes out clean, with a line for each stage.
func TestOverload(t *testing.T) {
	s, err := load.Listen("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out bytes.Buffer
	clean, err := runOverload(t.Context(), []string{"--tcp", "--to", s.Addr(), "--duration", "50ms", "--timeout", "60s"}, &out)
	if err != nil || !clean || strings.Count(out.String(), "\n") != 5 || !strings.Contains(out.String(), "3×") {
		t.Errorf("%v, %v\n%s", clean, err, &out)
	}
}
