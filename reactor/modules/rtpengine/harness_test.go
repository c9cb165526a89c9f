package rtpengine

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"

	"sipreactor/reactor/modules/rtpengine/ng"
)

// engine is an rtpengine that answers as a test says.
type engine struct {
	url string
	mu  sync.Mutex
	got []ng.Dict
	// answer gives the answer of a request; nil is silence.
	answer func(request ng.Dict) ng.Dict
}

// newEngine starts one that answers offers and answers with the SDP, in upper case.
func newEngine(t *testing.T) *engine {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	e := &engine{url: "udp:" + pc.LocalAddr().String(), answer: upper}
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			cookie, text, _ := bytes.Cut(buf[:n], []byte{' '})
			request, err := ng.Parse(text)
			if err != nil {
				t.Errorf("%q: %v", text, err)
				return
			}
			e.mu.Lock()
			e.got = append(e.got, request)
			answer := e.answer(request)
			e.mu.Unlock()
			if answer != nil {
				_, _ = pc.WriteTo(ng.Append(append(bytes.Clone(cookie), ' '), answer), from)
			}
		}
	}()
	return e
}

func upper(request ng.Dict) ng.Dict {
	if request.Text("command") == "ping" {
		return ng.Dict{{Key: "result", Value: "pong"}}
	}
	d := ng.Dict{{Key: "result", Value: "ok"}}
	if sdp := request.Text("sdp"); sdp != "" {
		d.Add("sdp", strings.ToUpper(sdp))
	}
	return d
}

func refuse(reason string) func(ng.Dict) ng.Dict {
	return func(ng.Dict) ng.Dict {
		return ng.Dict{{Key: "result", Value: "error"}, {Key: "error-reason", Value: reason}}
	}
}

// set changes how it answers.
func (e *engine) set(f func(ng.Dict) ng.Dict) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = f
}

// take gives the requests since the last take, in JSON, pings left out.
func (e *engine) take() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []string
	for _, d := range e.got {
		if d.Text("command") != "ping" {
			all = append(all, string(appendJSON(nil, d)))
		}
	}
	e.got = nil
	return strings.Join(all, "\n")
}
