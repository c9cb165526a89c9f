package sipframe

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// plainFrame says the same as Framer and Message.Parse, written a third time for
// clarity and not for speed: header section and length of the message at the
// start of s. length is -1 if it cannot be told.
func plainFrame(s string) (header, length int, complete bool) {
	var fields []string
	pos := 0
	for first := true; ; first = false {
		n := strings.IndexByte(s[pos:], '\n')
		if n < 0 {
			return 0, 0, false
		}
		line := s[pos : pos+n]
		pos += n + 1
		if !first && (line == "" || line == "\r") {
			break
		}
		switch fold := !first && (line[0] == ' ' || line[0] == '\t'); {
		case fold && len(fields) > 0:
			fields[len(fields)-1] += "\n" + line
		case !first && !fold:
			fields = append(fields, line)
		}
	}
	length = -1
	for _, f := range fields {
		name, value, ok := strings.Cut(f, ":")
		name = strings.ToLower(strings.TrimRight(name, " \t"))
		if !ok || name != "l" && name != "content-length" {
			continue
		}
		value = strings.Trim(value, " \t\r\n")
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil || value[0] == '+' || length >= 0 && length != int(n) {
			return pos, -1, true
		}
		length = int(n)
	}
	return pos, length, true
}

// FuzzFramerParser holds the framer against the parser: on any bytes they agree
// on where the header section ends and what the length is.
func FuzzFramerParser(f *testing.F) {
	for _, s := range streams {
		f.Add([]byte(s))
	}
	f.Add([]byte("OPTIONS sip:a SIP/2.0\r\nX: " + strings.Repeat("x", 5000) + "\r\nContent-Length: 0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var fr Framer
		var m Message
		cfg := &FramerConfig{MaxMessage: 4096}
		for pos := 0; ; {
			cut := fr.Next(cfg, data[pos:])
			rest := data[pos+cut.Start:]
			pos += cut.End
			if cut.Kind == NeedMore {
				return
			}
			if cut.Kind == Ping || cut.Kind == Dropped {
				t.Fatalf("%v without being asked for", cut.Kind)
			}
			header, length, complete := plainFrame(string(rest))
			if cut.Kind == Bad && !cut.Defect.Answerable {
				return
			}
			if (!complete || header > cfg.MaxMessage) && cut.Kind == Bad && cut.Defect.Reason == ReasonTooLarge {
				if n := cut.End - cut.Start; n == 0 || n > headerReach*4096 || rest[n-1] != '\n' {
					t.Fatalf("%v of a header section that is too large", cut)
				}
				return
			}
			if !complete {
				t.Fatalf("%v, but the header section is not complete", cut)
			}
			msg := rest[:cut.End-cut.Start]
			err := m.Parse(msg)
			if m.NumHeaders() >= MaxHeaders {
				return
			}
			if int(m.BodyOffset()) != header {
				t.Fatalf("%v: body at %d, want %d, %v", cut, m.BodyOffset(), header, err)
			}
			n, present, lerr := m.ContentLength()
			if cut.Kind == Bad {
				if present && lerr == nil && header+n <= 4096 || len(msg) != header {
					t.Fatalf("%v, but the length is %d", cut, n)
				}
				return
			}
			if !present || lerr != nil || n != length || header+n != len(msg) || len(m.Body()) != n {
				t.Fatalf("%v: Content-Length %d %v %v, want %d; header of %d", cut, n, present, lerr, length, header)
			}
		}
	})
}

// FuzzFramerCuts cuts the stream anywhere: the cuts of the framer stay the same.
func FuzzFramerCuts(f *testing.F) {
	for i, s := range streams {
		f.Add([]byte(s), uint64(i), i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64, pingpong bool) {
		if len(data) > 1<<13 { // twice what may be kept: it is fed byte by byte
			return
		}
		cfg := FramerConfig{PingPong: pingpong, MaxMessage: 2048}
		whole := feed(cfg, data)
		r := rand.New(rand.NewPCG(seed, 0))
		for _, sizes := range [][]int{{1}, randomSizes(r, len(data)), randomSizes(r, len(data))} {
			p := feed(cfg, data, sizes...)
			if !reflect.DeepEqual(p.events, whole.events) {
				t.Fatalf("in reads of %v: %v, want %v", sizes, p.events, whole.events)
			}
			if !bytes.Equal(p.kept, whole.kept) && !p.bad() {
				t.Fatalf("in reads of %v: %q is kept, want %q", sizes, p.kept, whole.kept)
			}
			if p.worst > headerReach*cfg.MaxMessage { // of a header section that is too large, to be answered
				t.Fatalf("%d bytes kept of messages of %d at most", p.worst, cfg.MaxMessage)
			}
			// What is dropped depends on the reads, what is framed does not.
			dropping := cfg
			dropping.DropCRLF = true
			if got := messages(feed(dropping, data, sizes...)); !reflect.DeepEqual(got, messages(whole)) {
				t.Fatalf("with DropCRLF: %v, want %v", got, messages(whole))
			}
		}
	})
}

func messages(p *peer) (out []event) {
	for _, e := range p.events {
		if e.kind == Frame || e.kind == Bad {
			out = append(out, e)
		}
	}
	return out
}
