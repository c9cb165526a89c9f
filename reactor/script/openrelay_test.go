package script

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// openRelays gives the places that are noted.
func openRelays(t *testing.T, text string) string {
	t.Helper()
	cfg, err := compile("cfg", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var at []string
	for _, n := range cfg.Notes {
		if strings.Contains(n.Msg, "sends anything from anybody") {
			at = append(at, fmt.Sprintf("%d:%d", n.Pos.Line()-strings.Count(allModules, "\n"), n.Pos.Col()))
		}
	}
	return strings.Join(at, " ")
}

func TestOpenRelays(t *testing.T) {
	for text, want := range map[string]string{
		"route { forward(); }":                                                                                                        "1:9",
		"route {\n if (!forward()) exit; }":                                                                                           "2:7",
		"route { send(\"$du\"); }":                                                                                                    "1:9",
		"route { forward(\"tls:10.0.0.1\"); }":                                                                                        "",
		"route { $du = \"sip:10.0.0.1\"; forward(); }":                                                                                "",
		"route { $du = \"sip:10.0.0.1:\" + $rp; forward(); }":                                                                         "",
		"route { $du = \"sip:\" + $rd; forward(); }":                                                                                  "1:29",
		"route { $du = \"sip:10.0.0.1\"; loose_route(); forward(); }":                                                                 "1:46",
		"route { $du = $hdr(X); forward(); }":                                                                                         "1:24",
		"route { if (is_myself(\"$rd\")) forward(); }":                                                                                "",
		"route { if (is_method(\"ACK\") && is_myself(\"$rd\")) forward(); else forward(); }":                                          "1:67",
		"route { if (is_method(\"ACK\") || is_myself(\"$rd\")) forward(); else forward(); }":                                          "1:51 1:67",
		"route { if (!is_peer_verified()) exit; forward(); }":                                                                         "",
		"route { if (has_totag() && !loose_route()) exit; forward(); }":                                                               "1:50",
		"route { if ($si == \"10.0.0.1\") { exit; } forward(); }":                                                                     "",
		"route { if ($du != NULL) exit; forward(); }":                                                                                 "1:32",
		"route { $var(n) = $ru; if ($(var(n){uri.host}) =~ \"x\") exit; forward(); }":                                                 "",
		"route { switch ($rd) { case \"a\": forward(); break; } forward(); }":                                                         "",
		"route { switch ($rm) { case \"ACK\": if ($si == \"1\") exit; break; } forward(); }":                                          "1:67",
		"route { while ($var(i) < 3) { $du = $hdr(X); forward(); } }":                                                                 "1:46",
		"route { route(a); route(b); }\nroute[a] { if ($si != \"10.0.0.1\") return(-1); return(1); }\nroute[b] { forward(); }":        "",
		"route { if (is_method(\"ACK\")) route(a); route(b); }\nroute[a] { if ($si != \"10.0.0.1\") exit; }\nroute[b] { forward(); }": "3:12",
		"route { route(b); if ($si == \"x\") route(b); }\nroute[b] { forward(); if (is_method(\"x\")) route(b); }":                    "2:12",
		"route { route($var(x)); }\nroute[b] { forward(); }":                                                                          "2:12",
		"route { exit; }\nroute[b] { forward(); }":                                                                                    "",
		"route { exit; forward(); }":                                                                                                  "",
	} {
		if got := openRelays(t, allModules+text+"\n"); got != want {
			t.Errorf("%s\nnoted %q, want %q", text, got, want)
		}
	}
	deep := strings.Repeat("while ($rp) { if (is_method(\"ACK\")) { ", 20) + "forward();" + strings.Repeat("} }", 20)
	if openRelays(t, allModules+"route { "+deep+" }\n") == "" {
		t.Error("nested loops")
	}
}

// What is shipped asks before it forwards.
func TestShippedScriptsAsk(t *testing.T) {
	for _, path := range []string{"default.cfg", "testdata/edge.cfg"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := openRelays(t, string(text)); got != "" {
			t.Errorf("%s: forwards at %s", path, got)
		}
	}
}
