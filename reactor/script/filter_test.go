package script

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
)

const filterHead = `socket=tls:127.0.0.1:5061
loadmodule "proto_tls.so"
loadmodule "sl.so"
loadmodule "sipmsgops.so"
modparam("proto_tls", "trace_filter_route", "which")
route { forward(); }
`

func TestFilter(t *testing.T) {
	cfg, err := Compile("test.cfg", []byte(filterHead+`
route[which] {
	if ($si == "192.0.2.1" || $socket_in(port) == 5070)
		drop;
	if ($sp > 60000)
		exit;
	if ($ru == NULL && $proto == "tls")
		route(deeper);
}
route[deeper] { if ($si =~ "^198\.") drop; }
`))
	if err != nil {
		t.Fatal(err)
	}
	at := func(port uint16) *reactor.Socket {
		return &reactor.Socket{Proto: reactor.TLS, Addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}
	}
	for _, tt := range []struct {
		remote string
		port   uint16
		want   bool
	}{
		{"192.0.2.1:5000", 5061, false},
		{"192.0.2.2:5000", 5061, true},
		{"192.0.2.2:5000", 5070, false},
		{"198.51.100.1:5000", 5061, false},
		{"198.51.100.1:60001", 5061, true},
	} {
		src := &reactor.Source{Proto: reactor.TLS, Remote: netip.MustParseAddrPort(tt.remote), Socket: at(tt.port),
			Local: at(tt.port).Addr}
		for range 2 { // the second time on a machine that was used
			if got := cfg.Program.Filter("which", src); got != tt.want {
				t.Errorf("%s to %d: %v, want %v", tt.remote, tt.port, got, tt.want)
			}
		}
	}
	if !cfg.Program.Filter("nobody", &reactor.Source{}) {
		t.Error("a route that is not there stops something")
	}
}

// A function that needs a message is an error where there is none, in a route
// that is called, too.
func TestFilterWithoutMessage(t *testing.T) {
	for _, route := range []string{
		`route[which] { sl_send_reply(200, "OK"); }`,
		`route[which] { route(deeper); } route[deeper] { if (is_method("INVITE")) drop; }`,
	} {
		_, err := Compile("test.cfg", []byte(filterHead+route))
		if err == nil || !strings.Contains(err.Error(), "cannot be used in") {
			t.Errorf("%s: %v", route, err)
		}
	}
}

// Whatever a route asks of a message that is not there, it gets an answer.
func TestFilterReadsEverything(t *testing.T) {
	args := map[argMode]string{constArg: "(x)", anyArg: "(x)"}
	for _, name := range variableNames() {
		spec := variables[name]
		text := "$" + name + args[spec.arg]
		for _, body := range []string{"if (" + text + " == NULL) drop;", `xlog("` + text + `\n");`} {
			cfg, err := Compile("test.cfg", []byte(filterHead+"route[which] { "+body+" }\n"))
			if err != nil {
				continue // a variable that wants another argument
			}
			cfg.Program.SetLogger(slog.New(slog.DiscardHandler))
			cfg.Program.Filter("which", &reactor.Source{Proto: reactor.TLS})
		}
	}
}
