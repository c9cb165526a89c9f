package websocket

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
)

// guid is what a server's answer is made with (RFC 6455 1.3).
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// dialling is the client's side.
type dialling struct {
	head
	request []byte // "" once it was sent
	asked   []byte
	accept  string // what the server must answer
}

// Dial is the side of a client that asks for a resource ("/") of a host (host[:port],
// as it stands in a URI), from an origin ("" says none).
func Dial(host, resource, origin string) Opening {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails
	key := base64.StdEncoding.EncodeToString(nonce[:])
	sum := sha1.Sum([]byte(key + guid))
	d := &dialling{accept: base64.StdEncoding.EncodeToString(sum[:])}
	d.request = fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: %s\r\n", resource, host, key, Protocol)
	if origin != "" {
		d.request = fmt.Appendf(d.request, "Origin: %s\r\n", origin)
	}
	d.request = append(d.request, "\r\n"...)
	return d
}

func (d *dialling) Begin() []byte {
	b := d.request
	if b != nil {
		d.asked = b
	}
	d.request = nil
	return b
}

func (d *dialling) Rest() []byte { return d.rest }

func (d *dialling) Talk() (request, answer []byte) { return d.asked, d.whole }

func (d *dialling) Feed(b []byte) (answer []byte, err error) {
	done := d.done
	if err = d.take(b); err != nil || done {
		if errors.Is(err, errHeadSize) {
			err = &Error{Reason: errHeadSize.Reason}
		}
		return nil, err
	}
	err = d.check()
	d.b = nil
	return nil, err
}

// check reads the server's answer (RFC 6455 4.1).
func (d *dialling) check() error {
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(d.b)))
	line, err := r.ReadLine()
	if err != nil {
		return &Error{Reason: "malformed response"}
	}
	version, rest, _ := strings.Cut(line, " ")
	status, err := strconv.Atoi(rest[:min(len(rest), 3)])
	if err != nil || !strings.HasPrefix(version, "HTTP/1.") {
		return &Error{Reason: "malformed response"}
	}
	if status != 101 {
		return &Error{Status: status, Reason: "refused by the server"}
	}
	h, err := r.ReadMIMEHeader()
	switch {
	case err != nil:
		return &Error{Reason: "malformed response"}
	case !strings.EqualFold(h.Get("Upgrade"), "websocket"), !hasToken(h["Connection"], "upgrade"):
		return &Error{Reason: "the server did not upgrade"}
	case h.Get("Sec-WebSocket-Accept") != d.accept:
		return &Error{Reason: "the server's answer is to another key"}
	case h.Get("Sec-WebSocket-Extensions") != "":
		return &Error{Reason: "the server wants an extension"}
	case h.Get("Sec-WebSocket-Protocol") != Protocol:
		return &Error{Reason: "the server did not choose subprotocol sip"}
	}
	return nil
}

// hasToken reports whether a list in headers has a word, in any case.
func hasToken(values []string, word string) bool {
	for _, v := range values {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(token), word) {
				return true
			}
		}
	}
	return false
}
