package presence_xml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

var (
	errManipulation = errors.New("is 0: documents of an XCAP server are not supported")
	errRoot         = errors.New("the document is of another kind")
)

// maxDepth bounds how deep a document may nest.
const maxDepth = 32

// pidf is the event presence.
type pidf struct{}

func (pidf) Name() string            { return "presence" }
func (pidf) Type() string            { return "application/pidf+xml" }
func (pidf) Check(body []byte) error { _, err := read(body, "presence"); return err }

// Body joins documents: the elements of all, the notes of the newest one. Where two documents have an element of the same
// id, the newer one's is taken: ids are unique in a document (RFC 3863 4.1.2).
func (pidf) Body(uri string, published [][]byte) []byte {
	if len(published) == 1 {
		return published[0]
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"%s\">", escaped(uri))
	documents := make([]*document, len(published))
	newest := make(map[string]int) // by id
	for i, text := range published {
		d, err := read(text, "presence")
		if err != nil {
			continue // it was read when it was published
		}
		documents[i] = d
		for _, c := range d.children {
			newest[c.id()] = i
		}
	}
	for i, text := range published {
		d := documents[i]
		if d == nil {
			continue
		}
		for _, c := range d.children {
			if id := c.id(); id != "" && newest[id] != i {
				continue
			}
			if i < len(published)-1 && c.name == "note" {
				continue // of a document that was replaced
			}
			b.Write(text[c.from:c.name1])
			b.WriteString(namespaces(d.root.Attr, c.attr))
			b.Write(text[c.name1:c.to])
		}
	}
	b.WriteString("</presence>\n")
	return b.Bytes()
}

// offline is the document of who publishes nothing.
func offline(uri string) []byte {
	return fmt.Appendf(nil, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"%s\">"+
		"<tuple id=\"offline\"><status><basic>closed</basic></status></tuple></presence>\n", escaped(uri))
}

// lineState is the event dialog;sla.
type lineState struct{}

func (lineState) Name() string                        { return "dialog;sla" }
func (lineState) Type() string                        { return "application/dialog-info+xml" }
func (lineState) Check(body []byte) error             { _, err := read(body, "dialog-info"); return err }
func (lineState) Body(_ string, list [][]byte) []byte { return list[len(list)-1] }

// document is one that was read: its root, and where the elements in it are.
type document struct {
	root     xml.StartElement
	children []element
}

// element is text[from:to]; name1 is where its name ends.
type element struct {
	name            string
	attr            []xml.Attr
	from, name1, to int
}

// id is what names it in its document, "" nothing.
func (e *element) id() string {
	for _, a := range e.attr {
		if a.Name.Space == "" && a.Name.Local == "id" {
			return a.Value
		}
	}
	return ""
}

// read reads a document whose root has that name. Nothing of it is resolved: there are
// no entities but those of XML itself.
func read(text []byte, root string) (*document, error) {
	d := xml.NewDecoder(bytes.NewReader(text))
	var doc document
	var open []xml.Name
	for {
		from := int(d.InputOffset())
		t, err := d.RawToken()
		if err != nil {
			if len(open) == 0 && doc.root.Name.Local != "" && errors.Is(err, io.EOF) {
				return &doc, nil
			}
			return nil, fmt.Errorf("the document is no XML: %w", err)
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, errRoot // no document type
		case xml.StartElement:
			switch len(open) {
			case 0:
				if t.Name.Local != root || doc.root.Name.Local != "" {
					return nil, errRoot
				}
				doc.root = t.Copy()
			case 1:
				name := t.Name.Local
				if t.Name.Space != "" {
					name = t.Name.Space + ":" + name
				}
				doc.children = append(doc.children, element{name: t.Name.Local, attr: t.Copy().Attr, from: from, name1: from + 1 + len(name)})
			}
			if open = append(open, t.Name); len(open) > maxDepth {
				return nil, errRoot
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != t.Name {
				return nil, errRoot
			}
			if open = open[:len(open)-1]; len(open) == 1 {
				doc.children[len(doc.children)-1].to = int(d.InputOffset())
			}
		}
	}
}

// namespaces are the declarations among attributes that others do not have.
func namespaces(attr, but []xml.Attr) string {
	var b strings.Builder
	for _, a := range attr {
		if (a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns") && !declares(but, a.Name) {
			name := a.Name.Local
			if a.Name.Space != "" {
				name = "xmlns:" + name
			}
			fmt.Fprintf(&b, " %s=\"%s\"", name, escaped(a.Value))
		}
	}
	return b.String()
}

func declares(list []xml.Attr, name xml.Name) bool {
	for _, a := range list {
		if a.Name == name {
			return true
		}
	}
	return false
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes all
	return b.String()
}
