package freeswitch

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
)

// frame is what a server says at a time: a few headers, and a body where they tell its length.
type frame struct {
	kind  string // Content-Type
	reply string // Reply-Text
	body  []byte
}

// Bounds of a frame, in bytes.
const (
	maxHead = 64 << 10
	maxBody = 1 << 20
)

// readFrame reads the next frame. The bound of the headers is that of limited.
func readFrame(limited *io.LimitedReader, r *bufio.Reader) (f frame, err error) {
	limited.N = maxHead
	head, err := textproto.NewReader(r).ReadMIMEHeader()
	switch {
	case err != nil && limited.N == 0:
		return f, errors.New("the headers are too long")
	case err != nil:
		return f, err
	}
	f.kind, f.reply = head.Get("Content-Type"), head.Get("Reply-Text")
	if text := head.Get("Content-Length"); text != "" {
		n, bad := strconv.Atoi(strings.TrimSpace(text))
		if bad != nil || n < 0 || n > maxBody {
			return f, fmt.Errorf("a body has the length %q: there are 0 to %d bytes", text, maxBody)
		}
		limited.N = int64(n)
		f.body = make([]byte, n)
		if _, err = io.ReadFull(r, f.body); err != nil {
			return f, err
		}
	}
	if s, bad := url.QueryUnescape(f.reply); bad == nil && strings.Contains(f.reply, "%") {
		f.reply = s
	}
	return f, nil
}

// answers reports whether a frame is the answer to a command.
func (f *frame) answers() bool { return f.kind == "command/reply" || f.kind == "api/response" }

// text is what a command has answered.
func (f *frame) text() string {
	if f.kind == "api/response" {
		return string(f.body)
	}
	return f.reply
}
