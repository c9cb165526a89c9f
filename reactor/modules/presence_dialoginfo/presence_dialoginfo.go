// Package presence_dialoginfo is OpenSIPS' module presence_dialoginfo: the event dialog, by which
// lamps of phones show whose calls there are (RFC 4235), for the module presence. What several
// publishers say of a URI, each of a call of its own, becomes one document.
//
// Calls that are over are told only while there is no other one, and of those the last: a
// publication outlives its call.
package presence_dialoginfo

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sipreactor/reactor/modules/presence"
	"sipreactor/reactor/script"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	e := &calls{}
	return &script.Module{
		Name: "presence_dialoginfo", Help: "The event dialog of the module presence.", Needs: []string{"presence"},
		Parameters: []script.Parameter{{Name: "force_single_dialog", Type: script.BoolParam, Default: "0", Set: script.Into(&e.single),
			Help: "Whether a document has one call alone: by its state early, confirmed, proceeding, trying or terminated, in this order."}},
		Check: func(l *script.Loading) {
			if p, ok := l.Instance("presence").(*presence.Module); ok {
				p.Add(e, nil)
			}
		},
	}
}

// states are those of a dialog, the least interesting one first.
var states = []string{"terminated", "trying", "proceeding", "confirmed", "early"}

var errDocument = errors.New("the document is no dialog-info with dialogs that have an id and a state")

// maxCalls bounds the calls of a document.
const maxCalls = 64

// calls is the event.
type calls struct{ single bool }

func (*calls) Name() string { return "dialog" }
func (*calls) Type() string { return "application/dialog-info+xml" }

// call is a dialog of a document that was published.
type call struct {
	rank int    // by its state
	text []byte // the element
}

// Check reads a document that is published.
func (*calls) Check(body []byte) error {
	_, err := read(body)
	return err
}

// Body joins the calls of all documents.
func (e *calls) Body(uri string, published [][]byte) []byte {
	var all []call
	for _, doc := range published {
		list, _ := read(doc) // it was read when it was published
		all = append(all, list...)
	}
	if n := len(all); n > 0 && !slices.ContainsFunc(all, func(c call) bool { return c.rank > 0 }) {
		all = all[n-1:]
	} else {
		all = slices.DeleteFunc(all, func(c call) bool { return c.rank == 0 })
	}
	if e.single && len(all) > 1 {
		best := all[0]
		for _, c := range all[1:] {
			if c.rank > best.rank {
				best = c
			}
		}
		all = []call{best}
	}
	if len(all) > maxCalls {
		all = all[len(all)-maxCalls:]
	}
	return document(uri, all)
}

// version stands in a document for its number, which each watcher has its own of.
var version = []byte(`version="?"`)

// Number is presence.NumberedEvent's.
func (*calls) Number(uri string, body []byte, n int) []byte {
	if body == nil {
		body = document(uri, nil)
	}
	return bytes.Replace(body, version, fmt.Appendf(nil, `version="%d"`, n), 1)
}

func document(uri string, list []call) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<?xml version=\"1.0\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" %s state=\"full\" entity=\"%s\">\n", version, escaped(uri))
	for _, c := range list {
		b.Write(c.text)
		b.WriteByte('\n')
	}
	b.WriteString("</dialog-info>\n")
	return b.Bytes()
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes all
	return b.String()
}

// node is an element of a dialog, with what is in it.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []node     `xml:",any"`
}

// read gives the calls of a document. The elements are written anew, of the namespace of dialog-info alone: extensions of
// others are left out. A document type is refused.
func read(body []byte) ([]call, error) {
	if bytes.Contains(body, []byte("<!")) && bytes.Contains(body, []byte("<!DOCTYPE")) {
		return nil, errDocument
	}
	var doc struct {
		XMLName xml.Name `xml:"dialog-info"`
		Dialogs []node   `xml:"dialog"`
	}
	if err := xml.Unmarshal(body, &doc); err != nil {
		return nil, fmt.Errorf("the document is no XML: %w", err)
	}
	var list []call
	for i := range doc.Dialogs {
		d := &doc.Dialogs[i]
		at := slices.IndexFunc(d.Children, func(c node) bool { return c.XMLName.Local == "state" })
		has := slices.ContainsFunc(d.Attrs, func(a xml.Attr) bool { return a.Name.Local == "id" && a.Value != "" })
		if at < 0 || !has {
			return nil, errDocument
		}
		rank := slices.Index(states, strings.TrimSpace(d.Children[at].Text))
		if rank < 0 {
			return nil, errDocument
		}
		var b bytes.Buffer
		d.write(&b, d.XMLName.Space, 0)
		list = append(list, call{rank, b.Bytes()})
	}
	return list, nil
}

// maxDepth bounds how deep an element nests.
const maxDepth = 16

// write writes an element and those in it that are of a namespace.
func (n *node) write(b *bytes.Buffer, space string, depth int) {
	if n.XMLName.Space != space || depth > maxDepth {
		return
	}
	b.WriteString("<" + n.XMLName.Local)
	for _, a := range n.Attrs {
		if a.Name.Space == "" && a.Name.Local != "xmlns" {
			fmt.Fprintf(b, " %s=\"%s\"", a.Name.Local, escaped(a.Value))
		}
	}
	text := strings.TrimSpace(n.Text)
	if text == "" && len(n.Children) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">" + escaped(text))
	for i := range n.Children {
		n.Children[i].write(b, space, depth+1)
	}
	b.WriteString("</" + n.XMLName.Local + ">")
}
