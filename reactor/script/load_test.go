package script

import (
	"testing"
)

func TestDefaultCompiles(t *testing.T) {
	cfg, err := Compile("default.cfg", Default())
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Sockets) != 1 || cfg.Sockets[0].Host != "127.0.0.1" || cfg.Sockets[0].Port != 5061 {
		t.Errorf("sockets: %+v", cfg.Sockets)
	}
	if len(cfg.Notes) != 0 {
		t.Errorf("notes: %v", cfg.Notes)
	}
}
