package script

import (
	"slices"
	"strings"
	"testing"

	"sipreactor/tlsstate"
)

const libraryTop = `socket=tls:127.0.0.1:5061
loadmodule "proto_tls.so"
loadmodule "tls_mgm.so"
`

// A program without libssl takes crypto/tls for what tls_openssl.so means, and
// says so where the module is loaded.
func TestLibraryAuto(t *testing.T) {
	const note = "x.cfg:4:12: tls_openssl: this program was built without libssl, crypto/tls takes its place"
	for name, tt := range map[string]struct {
		text string
		note bool
	}{
		"nothing said":        {"", false},
		"module":              {"loadmodule \"tls_openssl.so\"\n", true},
		"module and auto":     {"loadmodule \"tls_openssl.so\"\nmodparam(\"tls_mgm\", \"tls_library\", \"auto\")\n", true},
		"module, but go":      {"loadmodule \"tls_openssl.so\"\nmodparam(\"tls_mgm\", \"tls_library\", \"go\")\n", false},
		"auto without module": {"modparam(\"tls_mgm\", \"tls_library\", \"auto\")\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := compile("x.cfg", []byte(libraryTop+tt.text+"route { exit; }\n"))
			if err != nil {
				t.Fatal(err)
			}
			if cfg.TLSLibrary != tlsstate.GoLibrary {
				t.Errorf("library %q", cfg.TLSLibrary)
			}
			noted := false
			for _, n := range cfg.Notes {
				noted = noted || n.String() == note
			}
			if noted != tt.note {
				t.Errorf("notes %v", cfg.Notes)
			}
		})
	}
}

// There is no machine on wolfSSL: crypto/tls takes its place, with a note.
func TestLibraryWolfSSL(t *testing.T) {
	cfg, err := compile("x.cfg", []byte(libraryTop+`loadmodule "tls_wolfssl.so"
modparam("tls_mgm", "tls_library", "wolfssl")
route { exit; }
`))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.TLSLibrary != tlsstate.GoLibrary {
		t.Errorf("library %q", cfg.TLSLibrary)
	}
	var notes []string
	for _, n := range cfg.Notes {
		notes = append(notes, n.String())
	}
	want := "x.cfg:4:12: tls_wolfssl: there is no machine on wolfSSL, crypto/tls takes its place"
	if !slices.Contains(notes, want) || !slices.Contains(notes, "x.cfg:5:36: tls_library: there is no machine on wolfSSL, crypto/tls takes its place") {
		t.Errorf("notes %q", notes)
	}
}

// A library that the program lacks is an error that says how to get it.
func TestLibraryThatIsNotThere(t *testing.T) {
	for _, name := range []string{"openssl", "libcrypto"} {
		_, err := compile("x.cfg", []byte(libraryTop+"modparam(\"tls_mgm\", \"tls_library\", \""+name+"\")\nroute { exit; }\n"))
		if err == nil || !strings.Contains(err.Error(), `x.cfg:4:36: tls_library cannot be "`+name+`": this program was built without libssl`) ||
			!strings.Contains(err.Error(), "-tags openssl") {
			t.Error(err)
		}
	}
}
