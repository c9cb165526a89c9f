// Package pua_mi is OpenSIPS' module pua_mi: management publishes and subscribes, by the module pua.
package pua_mi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sipreactor/reactor/modules/pua"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

type module struct {
	server string
	pua    *pua.Module
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{}
	text := func(name string, optional bool) rpc.Param {
		return rpc.Param{Name: name, Kind: rpc.Text, Optional: optional}
	}
	return &script.Module{
		Name: "pua_mi", Help: "Publishes and subscribes for management.", Needs: []string{"pua"},
		Parameters: []script.Parameter{{Name: "presence_server", Type: script.StringParam, Help: "URI of the server that PUBLISH is sent to; by default by the presentity's URI.", Set: pua.Server(&m.server)}},
		Commands: []rpc.Command{
			{Name: "pua_publish", Aliases: []string{"pua_mi:publish"}, Help: "Publishes for a URI, and gives the answer. A . stands for a parameter that is not given.", Func: m.publish,
				Params: []rpc.Param{text("presentity_uri", false), {Name: "expires", Kind: rpc.Integer}, text("event_package", false), text("content_type", true), text("etag", true), text("extra_headers", true), text("body", true)}},
			{Name: "pua_subscribe", Aliases: []string{"pua_mi:subscribe"}, Help: "Subscribes a watcher to a URI's event, by the watcher's URI as Contact, and gives the answer; expires 0 ends it.", Func: m.subscribe,
				Params: []rpc.Param{text("presentity_uri", false), text("watcher_uri", false), text("event_package", false), {Name: "expires", Kind: rpc.Integer}}},
		},
		Check: func(l *script.Loading) { m.pua, _ = l.Instance("pua").(*pua.Module) },
	}
}

// answer is what became of a request.
type answer struct {
	Code    int    `json:"code"`
	Reason  string `json:"reason"`
	ETag    string `json:"etag,omitempty"`
	Expires string `json:"expires,omitempty"`
}

// patience is longer than a transaction lasts.
const patience = 40 * time.Second

// wait hands begin what is to be told the answer, and waits for that.
func wait(ctx context.Context, begin func(done func(o *transaction.Outcome)) error) (any, error) {
	answers := make(chan answer, 1)
	err := begin(func(o *transaction.Outcome) {
		select {
		case answers <- answer{o.Code, string(o.Reason), value(o.Message, "SIP-ETag"), value(o.Message, "Expires")}:
		default: // it was told one already
		}
	})
	if err != nil {
		return nil, &rpc.Error{Code: 400, Message: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case a := <-answers:
		return a, nil
	case <-ctx.Done():
		return nil, rpc.Failed("there was no answer, or a newer request has replaced this one", nil)
	}
}

func value(msg *sipframe.Message, name string) string {
	if msg == nil {
		return ""
	}
	if i := msg.FindName([]byte(name)); i >= 0 {
		return string(msg.Bytes(msg.Header(i).Value))
	}
	return ""
}

// given is a parameter that may be left out; . stands for that.
func given(a *rpc.Args, name string) string {
	if s := a.Text(name); s != "." {
		return s
	}
	return ""
}

var errBody = errors.New("a body and its content_type are given together")

func (m *module) publish(ctx context.Context, a *rpc.Args) (any, error) {
	p := pua.Publication{URI: a.Text("presentity_uri"), Event: a.Text("event_package"), ID: "mi", Type: given(a, "content_type"), Expires: int64(a.Int("expires")),
		Headers: given(a, "extra_headers"), ETag: given(a, "etag"), Proxy: m.server}
	if body := given(a, "body"); body != "" {
		p.Body = []byte(body)
	}
	if (p.Type == "") != (p.Body == nil) {
		return nil, &rpc.Error{Code: 400, Message: errBody.Error()}
	}
	return wait(ctx, func(done func(*transaction.Outcome)) error {
		p.Done = done
		if known := m.pua.Published(p.URI, p.Event, p.ID); !known && p.ETag == "" && (p.Expires == 0 || p.Body == nil) {
			return fmt.Errorf("nothing is published of %s that it would change", p.URI)
		}
		return m.pua.Publish(nil, p)
	})
}

func (m *module) subscribe(ctx context.Context, a *rpc.Args) (any, error) {
	watcher := a.Text("watcher_uri")
	return wait(ctx, func(done func(*transaction.Outcome)) error {
		return m.pua.Subscribe(nil, pua.Subscription{URI: a.Text("presentity_uri"), Watcher: watcher, Contact: watcher, Event: a.Text("event_package"), Expires: int64(a.Int("expires")), Proxy: m.server, Done: done})
	})
}
