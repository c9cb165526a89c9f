package proxy

import (
	"strings"
	"testing"

	"sipreactor/reactor"
)

// What begins something is refused first by a send queue that is about to be full.
func TestClassOfWhatIsSent(t *testing.T) {
	b := newBed(t, funcs{})
	inDialog := func(m string) string { return strings.Replace(m, "\r\nCall-ID:", ";tag=there\r\nCall-ID:", 1) }
	method := func(name string) string { return strings.ReplaceAll(invite(), "INVITE", name) }
	for name, tt := range map[string]struct {
		m    string
		want reactor.Class
	}{
		"INVITE":           {invite(), reactor.NewRequest},
		"OPTIONS":          {method("OPTIONS"), reactor.NewRequest},
		"CANCEL":           {method("CANCEL"), reactor.LaterRequest},
		"ACK":              {method("ACK"), reactor.Final},
		"INVITE in dialog": {inDialog(invite()), reactor.LaterRequest},
	} {
		if got := b.one(tt.m, overTLS).to.Class; got != tt.want {
			t.Errorf("%s: class %d, want %d", name, got, tt.want)
		}
	}
}
