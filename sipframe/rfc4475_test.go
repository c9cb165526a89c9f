package sipframe

import (
	"os"
	"path/filepath"
	"testing"
)

// testData names the environment variable that points at the folder with the
// messages of RFC 4475 (rfc4475/valid and rfc4475/invalid, *.dat).
const testData = "SIPREACTOR_TESTDATA"

// torture is what a proxy makes of a message of RFC 4475.
type torture struct {
	file string
	// stream is what the framer says about the first message of the file:
	// "Frame", "NeedMore" (the rest never comes), or the reason of a Bad.
	stream string
	// code and drop are the verdict on the file as one datagram.
	code int
	drop bool
	why  string
}

var tortures = []torture{
	// Section 3.1.1: valid messages.
	{"valid/wsinv", "Frame", 0, false, "folds and white space wherever the grammar has them"},
	{"valid/intmeth", "Frame", 0, false, "every byte a token may have; a NUL in a quoted string"},
	{"valid/esc01", "Frame", 0, false, "escapes are not resolved, so they change no structure"},
	{"valid/escnull", "Frame", 0, false, "an escaped NUL is three bytes to a proxy"},
	{"valid/esc02", "Frame", 0, false, "a percent sign escapes nothing in a method, a header name, a display name"},
	{"valid/lwsdisp", "Frame", 0, false, "no space between display name and <"},
	{"valid/longreq", "Frame", 0, false, "long values, and a Via without branch: RFC 2543"},
	{"valid/dblreq", "Frame", 0, false, "what follows the body is the next message, and ignored in a datagram"},
	{"valid/semiuri", "Frame", 0, false, "semicolons in a user part begin no parameters"},
	{"valid/transports", "Frame", 0, false, "any token is a transport in Via"},
	{"valid/mpart01", "Frame", 0, false, "a body is bytes"},
	{"valid/unreason", "Frame", 0, false, "a reason phrase is text"},
	{"valid/noreason", "Frame", 0, false, "a reason phrase may be empty"},
	// Section 3.1.2: invalid messages.
	{"invalid/badinv01", "Frame", 400, false, "empty parameters and values in Via; the first one still tells where to respond"},
	{"invalid/clerr", "NeedMore", 400, false, "Content-Length beyond the datagram; on a stream the rest is waited for"},
	{"invalid/ncl", "Bad Content-Length", 400, false, "a sign"},
	{"invalid/scalar02", "Frame", 400, false, "CSeq over 32 bits, Max-Forwards over 255"},
	{"invalid/scalarlg", "Frame", 400, true, "CSeq over 32 bits; a response gets none"},
	{"invalid/quotbal", "Frame", 400, false, "a quote that is not closed in To"},
	{"invalid/ltgtruri", "Frame", 400, false, "<> around the Request-URI; a proxy must not hand that on"},
	{"invalid/lwsruri", "Frame", 400, false, "white space in the Request-URI"},
	{"invalid/lwsstart", "Frame", 400, false, "two spaces in the Request-Line"},
	{"invalid/trws", "Frame", 400, false, "spaces behind the Request-Line"},
	{"invalid/escruri", "Frame", 400, false, "headers in the Request-URI must not be handed on"},
	{"invalid/baddate", "Frame", 0, false, "no proxy has to understand Date"},
	{"invalid/regbadct", "Frame", 0, false, "Contact is the registrar's business"},
	{"invalid/badaspec", "Frame", 400, false, "spaces around the URI in <>"},
	{"invalid/baddn", "NeedMore", 400, false, "a comma in a display name without quotes; the file has no empty line"},
	{"invalid/badvers", "Frame", 505, false, "SIP/7.0"},
	{"invalid/mismatch01", "Frame", 400, false, "method differs from that of CSeq"},
	{"invalid/mismatch02", "Frame", 400, false, "unknown method differs from that of CSeq"},
	{"invalid/bigcode", "Frame", 400, true, "a status code that wraps around to 5 in 32 bits"},
	// Section 3.2: transaction layer.
	{"invalid/badbranch", "Frame", 0, false, "a branch of the cookie alone identifies nothing: Via.HasCookie is false"},
	// Section 3.3: application layer.
	{"invalid/insuf", "Frame", 400, false, "no Call-ID, From, To"},
	{"invalid/unkscm", "Frame", 416, false, "unknown scheme in the Request-URI"},
	{"invalid/novelsc", "Frame", 416, false, "known scheme that is not SIP's"},
	{"invalid/unksm2", "Frame", 0, false, "To, From and Contact may hold any URI"},
	{"invalid/bext01", "Frame", 420, false, "Proxy-Require; Require is none of a proxy's business"},
	{"invalid/invut", "Frame", 0, false, "content type: the UAS's business"},
	{"invalid/regaut01", "Frame", 0, false, "authorization scheme: the registrar's business"},
	{"invalid/multi01", "Frame", 400, false, "two of Call-ID, CSeq, From, To, Max-Forwards"},
	{"invalid/mcl01", "Contradicting Content-Length", 400, false, "two lengths: the framing is lost"},
	{"invalid/bcast", "Frame", 0, false, "well-formed; whose Via it is, the proxy checks"},
	{"invalid/zeromf", "Frame", 0, false, "who is the target answers; who forwards answers 483 (Verdict.NoHops)"},
	{"invalid/cparam01", "Frame", 0, false, "parameters of Contact: the registrar's business"},
	{"invalid/cparam02", "Frame", 0, false, "parameters of Contact: the registrar's business"},
	{"invalid/regescrt", "Frame", 0, false, "headers in a Contact URI: the registrar's business"},
	{"invalid/sdp01", "Frame", 0, false, "Accept: the UAS's business"},
	// Section 3.4: backward compatibility.
	{"invalid/inv2543", ReasonNoLength, 0, false, "RFC 2543 needs no length in a datagram, a stream does"},
	// Of the torture tests that came before the RFC.
	{"invalid/test", "No SIP Version in First Line", 400, true, "no version and no Via: nobody to respond to"},
}

func TestRFC4475(t *testing.T) {
	root := os.Getenv(testData)
	if root == "" {
		t.Skipf("%s is not set: the messages of RFC 4475 are not at hand", testData)
	}
	known := map[string]bool{}
	for _, tt := range tortures {
		known[filepath.FromSlash(tt.file)+".dat"] = true
		t.Run(tt.file, func(t *testing.T) { tt.run(t, filepath.Join(root, "rfc4475")) })
	}
	files, err := filepath.Glob(filepath.Join(root, "rfc4475", "*", "*.dat"))
	if err != nil || len(files) != len(tortures) {
		t.Errorf("%d files for %d verdicts, %v", len(files), len(tortures), err)
	}
	for _, f := range files {
		if rel, _ := filepath.Rel(filepath.Join(root, "rfc4475"), f); !known[rel] {
			t.Errorf("no verdict for %s", rel)
		}
	}
}

func (tt *torture) run(t *testing.T, dir string) {
	raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(tt.file)+".dat"))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{len(raw), 1, 7} {
		p := feed(FramerConfig{PingPong: true}, raw, size)
		got := "NeedMore"
		if len(p.events) > 0 {
			first := p.events[0]
			if got = first.kind.String(); first.kind == Bad {
				got = first.defect.Reason
			}
		}
		if got != tt.stream {
			t.Errorf("%d bytes a read: %s, want %s (%s)", size, got, tt.stream, tt.why)
		}
	}
	var m Message
	var v Verdict
	perr := m.Parse(raw)
	m.Validate(&v)
	if v.Code != tt.code || v.Drop != tt.drop {
		t.Errorf("%d %q, drop %v, want %d, drop %v (%s); parsed with %v", v.Code, v.Reason, v.Drop, tt.code, tt.drop, tt.why, perr)
	}
	if tt.code == 400 && !tt.drop && m.Defect() != nil && !m.Defect().Answerable {
		t.Errorf("a response is due, but %q cannot be answered", m.Defect().Reason)
	}
}

// What the verdict does not show: values that are easily got wrong.
func TestRFC4475Values(t *testing.T) {
	root := os.Getenv(testData)
	if root == "" {
		t.Skipf("%s is not set: the messages of RFC 4475 are not at hand", testData)
	}
	load := func(file string) *Message {
		raw, err := os.ReadFile(filepath.Join(root, "rfc4475", filepath.FromSlash(file)+".dat"))
		if err != nil {
			t.Fatal(err)
		}
		m := new(Message)
		_ = m.Parse(raw)
		return m
	}
	equal := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s is %q, want %q", what, got, want)
		}
	}
	m := load("valid/wsinv")
	to, err := m.To()
	if err != nil {
		t.Fatal(err)
	}
	equal("wsinv: To tag", string(m.Bytes(to.Tag)), "1918181833n")
	from, err := m.From()
	if err != nil {
		t.Fatal(err)
	}
	equal("wsinv: From name", string(Unquote(m.Bytes(from.Display), nil)), `J Rosenberg \"`)
	if n, _, err := m.MaxForwards(); n != 68 || err != nil {
		t.Errorf("wsinv: Max-Forwards %d, %v", n, err)
	}
	var branches string
	it := m.Values(HeaderVia)
	for s, ok := it.Next(); ok; s, ok = it.Next() {
		var via Via
		if err := m.ViaAt(s, &via); err != nil {
			t.Error(err)
		}
		branches += string(m.Bytes(via.Branch)) + " "
	}
	equal("wsinv: branches", branches, "390skdjuw z9hG4bK9ikj8 z9hG4bK30239 ")

	m = load("valid/intmeth")
	from, err = m.From()
	if err != nil {
		t.Fatal(err)
	}
	equal("intmeth: From tag", string(m.Bytes(from.Tag)), "_token~1'+`*%!-.")
	uri, err := m.URI()
	if err != nil {
		t.Fatal(err)
	}
	equal("intmeth: password", string(uri.Password.In(m.RequestURI())), "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")

	m = load("valid/longreq")
	n := 0
	for i := m.Find(HeaderVia); i >= 0; i = m.FindNext(HeaderVia, i) {
		n++
	}
	if n != 34 {
		t.Errorf("longreq: %d Via, want 34", n)
	}
	var v Verdict
	load("invalid/bext01").Validate(&v)
	equal("bext01: Unsupported", string(v.Unsupported), "noProxiesSupportThis, norDoAnyProxiesSupportThis")
	load("invalid/zeromf").Validate(&v)
	if !v.NoHops {
		t.Error("zeromf: NoHops is not set")
	}
	via, err := load("invalid/badbranch").TopVia()
	if err != nil || via.HasCookie(load("invalid/badbranch").Raw()) {
		t.Errorf("badbranch: a cookie, %v", err)
	}
}
