package body_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/sipframe/body"
)

const multi = "preamble\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b \r\nc: text/x; q=1\r\nX: y\r\n\r\ntwo\r\n--b\r\n\r\nplain\r\n--b--\r\nepilogue"

func TestParts(t *testing.T) {
	boundary, ok := body.Boundary([]byte(`multipart/mixed; boundary="b"`))
	if !ok {
		t.Fatal("no boundary")
	}
	var got []string
	for p := body.NewParts([]byte(multi), boundary); p.Next(); {
		got = append(got, fmt.Sprintf("%s=%q %v", p.Type(), p.Content(), p.Alone()))
	}
	want := `application/sdp="v=0\r\n" true|text/x; q=1="two" false|text/plain="plain" true`
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	for _, typ := range []string{"text/plain", "multipart/mixed", `multipart/mixed;boundary=""`} {
		if _, ok := body.Boundary([]byte(typ)); ok {
			t.Errorf("%s has a boundary", typ)
		}
	}
	for _, broken := range []string{"", "--b--", "--b\r\nno end", "x--b\r\n\r\n--b--"} {
		if p := body.NewParts([]byte(broken), boundary); p.Next() {
			t.Errorf("%q has a part", broken)
		}
	}
}

func TestSDP(t *testing.T) {
	sdp := []byte("v=0\r\nc=IN IP4 h\r\nm=audio 1 RTP/AVP 0 101 97\r\na=rtpmap:101 telephone-event/8000/1\r\nm=image 2 udptl t38\r\n")
	var media []string
	for piece, rest := body.Streams(sdp); piece != nil; piece, rest = body.Next(rest) {
		if !body.IsStream(piece) {
			if to, ok := body.Attribute(piece, "c="); !ok || string(to) != "IN IP4 h" {
				t.Errorf("%q", to)
			}
			continue
		}
		line, _ := body.Line(piece)
		head, formats, rtp := body.MediaFields(line)
		media = append(media, fmt.Sprintf("%s %q %q %v", body.Media(piece), head, formats, rtp))
		for payload, want := range map[string]string{"0": "PCMU/8000", "101": "telephone-event/8000", "97": "/"} {
			if name, clock := body.Codec(piece, []byte(payload)); rtp && string(name)+"/"+string(clock) != want {
				t.Errorf("%s: %s/%s", payload, name, clock)
			}
		}
	}
	if got := strings.Join(media, "|"); got != `audio "m=audio 1 RTP/AVP " "0 101 97" true|image "m=image 2 udptl " "t38" false` {
		t.Error(got)
	}
	if p := body.PayloadOf([]byte("a=fmtp:101 0-15")); string(p) != "101" {
		t.Errorf("%q", p)
	}
	if body.PayloadOf([]byte("a=sendonly")) != nil || !body.IsSDP([]byte("Application/SDP; x=1")) || body.IsType([]byte("text/plain"), []byte("text/html")) {
		t.Error("what is none is one")
	}
}

// Whatever a body holds, what is found lies in it and the walk ends.
func FuzzBody(f *testing.F) {
	f.Add([]byte(multi))
	f.Add([]byte("v=0\nm=audio 1 RTP/AVP 0\na=rtpmap:0 x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for p := body.NewParts(b, []byte("b")); p.Next(); {
			if p.Begin > p.Head || p.Head > p.End || p.End > len(b) {
				t.Fatalf("%d %d %d of %d", p.Begin, p.Head, p.End, len(b))
			}
			p.Type()
			p.Alone()
		}
		n := 0
		for piece, rest := body.Streams(b); piece != nil; piece, rest = body.Next(rest) {
			n += len(piece)
			body.Codec(piece, []byte("0"))
		}
		if n != len(b) {
			t.Fatalf("%d bytes of %d", n, len(b))
		}
	})
}
