package script

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"sipreactor/sipframe"
)

// edits are the ways a script writes into a message, with $var(x) for the text.
var edits = []string{
	`append_hf("X-In: $var(x)\r\n");`,
	`append_hf("X-In: $var(x)\n", "From");`,
	`append_hf("X-In: $(hdr(X-Hex){s.decode.hexa})\r\n");`,
	`append_hf("X-In: $(hdr(X-64){s.b64decode})\r\n");`,
	`insert_hf("X-In: $var(x)", "To");`,
	`$var(h) = "X-In: " + $var(x) + "\r\n"; append_hf($var(h));`,
	`subst("/^(X-Old:).*$/\1 $var(x)/");`,
	`subst("/^X-Old: .*$/X-Old: new/");`,
	`subst("/(X-Old: )old/\1$(hdr(X-Hex){s.decode.hexa})/");`,
	`replace("X-Old: .*", "X-Old: $var(x)");`,
	`replace_all("X-Old: old", "X-Old: $var(x)");`,
	`subst("/^(X-Old: ).*\n/\1$var(x)/");`,
	`subst_uri("/bob/$var(x)/");`,
	`$ru = "sip:bob@127.0.0.1;x=" + $var(x);`,
	`$rU = $var(x);`,
	`$rd = $var(x);`,
	`$du = $var(x);`,
	`append_to_reply("X-In: $var(x)\r\n"); sl_send_reply(200, "Fine $var(x)"); exit;`,
	`sl_send_reply(486, $(hdr(X-64){s.b64decode})); exit;`,
}

// written gives what a script with the edit sends for a request that brings text,
// hidden in headers that decoders read.
func written(t testing.TB, statement, text string) (in, out string) {
	in = "MESSAGE sip:bob@127.0.0.1:5090;transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n" +
		"From: <sip:alice@atlanta.example>;tag=1\r\nTo: <sip:bob@example.net>\r\nCall-ID: one\r\nCSeq: 1 MESSAGE\r\nX-Old: old\r\nX-Keep: 1\r\n" +
		"X-Hex: " + hex.EncodeToString([]byte(text)) + "\r\nX-64: " + base64.StdEncoding.EncodeToString([]byte(text)) + "\r\n" +
		"Content-Type: text/plain\r\nContent-Length: 8\r\n\r\n\r\n\nold\x00\r\n"
	cfg, err := compile("hygiene", []byte(allModules+"route {\n$var(x) = $(hdr(X-Hex){s.decode.hexa});\n"+statement+"\nforward(\"tls:127.0.0.1:5099\");\n}\n"))
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	b := benchFor(t, cfg)
	b.receive([]byte(in))
	if len(b.peer.sent) != 1 {
		t.Fatalf("%s with %q: sent %+v", statement, text, b.peer.sent)
	}
	return in, b.peer.sent[0].text
}

// clean checks that a head has no line end and no control character but its own,
// and that its headers are those of the original, one of the edit's at most.
func clean(t testing.TB, statement, in, out string) {
	head, body, ok := strings.Cut(out, "\r\n\r\n")
	if !ok {
		t.Fatalf("%s: no head in %q", statement, out)
	}
	for _, line := range strings.Split(head, "\r\n") {
		if i := strings.IndexFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }); i >= 0 || line == "" {
			t.Errorf("%s: the line %q in\n%q", statement, line, out)
		}
	}
	var m, was sipframe.Message
	if err := m.Parse([]byte(out)); err != nil {
		t.Errorf("%s: %v in\n%q", statement, err, out)
		return
	}
	if err := was.Parse([]byte(in)); err != nil {
		t.Fatal(err)
	}
	if m.IsRequest() && body != string(was.Body()) {
		t.Errorf("%s: the body is %q", statement, body)
	}
	known := []string{"Server", "X-In", "Via"}
	for i := range was.NumHeaders() {
		known = append(known, string(was.Bytes(was.Header(i).Name)))
	}
	seen := map[string]int{}
	for i := range m.NumHeaders() {
		name := string(m.Bytes(m.Header(i).Name))
		if seen[name]++; !slices.Contains(known, name) || seen[name] > 1 && name != "Via" || seen[name] > 2 {
			t.Errorf("%s: the header %s in\n%q", statement, name, out)
		}
	}
	if m.IsRequest() && seen["X-Keep"] != 1 {
		t.Errorf("%s: X-Keep is lost in\n%q", statement, out)
	}
}

// hostile are texts that would end a header, the head or a line.
var hostile = []string{
	"plain", "", "a\r\nEvil: 1", "a\nEvil: 1", "a\rEvil: 1", "a\r\n\r\nINVITE sip:evil SIP/2.0\r\n", "a\x00b", "\x1b[2J", "a\r\n folded", "\r\n", "\n", "\r",
	"x>\r\nEvil: 1\r\nX: <", "sip:a@b\r\nEvil: 1", "\\\r\nEvil: 1", "\x7f\x0b\x0c\x85", "\r\n\r\n\r\n",
}

func TestEditsEndNoLine(t *testing.T) {
	for _, statement := range edits {
		for _, text := range hostile {
			in, out := written(t, statement, text)
			clean(t, statement, in, out)
		}
	}
}

// What a script itself writes with line ends stays several headers.
func TestEditsOfSeveralLines(t *testing.T) {
	for _, statement := range []string{
		`append_hf("X-A: 1\r\nX-B: 2\r\n");`, `append_hf("X-A: 1\nX-B: 2\n");`, `subst("/^X-Old:.*$/X-A: 1\r\nX-B: 2/");`,
	} {
		if _, out := written(t, statement, ""); !strings.Contains(out, "\r\nX-A: 1\r\nX-B: 2\r\n") {
			t.Errorf("%s: sent %q", statement, out)
		}
	}
	// The substitution that swallows the CR.
	if _, out := written(t, `subst("/^X-Old:.*$/X-Old: new/");`, ""); !strings.Contains(out, "\r\nX-Old: new\r\nX-Keep: 1\r\n") {
		t.Errorf("sent %q", out)
	}
}

// FuzzEdits: whatever text comes into an edit, the message has the lines that it had.
func FuzzEdits(f *testing.F) {
	for i, text := range hostile {
		f.Add(i, text)
	}
	f.Fuzz(func(t *testing.T, i int, text string) {
		if len(text) > 2000 {
			return
		}
		statement := edits[uint(i)%uint(len(edits))]
		in, out := written(t, statement, text)
		clean(t, statement, in, out)
	})
}
