package xml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// Bounds of a document.
const (
	maxDepth = 64
	maxText  = 1 << 20
	maxNodes = 10000
)

var (
	errSyntax = errors.New("it is no well-formed XML with one root element")
	errLarge  = errors.New("the document has more than 1 MB, 64 levels or 10,000 nodes")
	errAbsent = errors.New("there is no such element")
)

// node is an element, or text where name is empty.
type node struct {
	name     string
	attrs    []attr
	children []*node
	text     string
}

// attr is an attribute.
type attr struct{ name, value string }

// parse reads one element, with text around it, which is kept where the element stands.
func parse(b []byte) (nodes []*node, err error) {
	if len(b) > maxText {
		return nil, errLarge
	}
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict = true
	root := &node{}
	open := []*node{root}
	elements, count := 0, 0
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errSyntax
		}
		top := open[len(open)-1]
		if count++; count > maxNodes {
			return nil, errLarge
		}
		switch t := t.(type) {
		case xml.StartElement:
			n := &node{name: qualified(t.Name)}
			for _, a := range t.Attr {
				n.attrs = append(n.attrs, attr{qualified(a.Name), a.Value})
			}
			top.children = append(top.children, n)
			if open = append(open, n); len(open) > maxDepth {
				return nil, errLarge
			}
			if len(open) == 2 {
				elements++
			}
		case xml.EndElement:
			if len(open) == 1 || top.name != qualified(t.Name) {
				return nil, errSyntax
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) == 1 && len(bytes.TrimSpace(t)) > 0 {
				return nil, errSyntax
			}
			top.children = append(top.children, &node{text: string(t)})
		default:
		}
	}
	if len(open) != 1 || elements != 1 {
		return nil, errSyntax
	}
	return root.children, nil
}

func qualified(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// appendTo writes the node; false where that would be too long.
func (n *node) appendTo(b []byte) ([]byte, bool) {
	if len(b) > maxText {
		return b, false
	}
	if n.name == "" {
		return append(b, textEscape.Replace(n.text)...), true
	}
	b = append(append(b, '<'), n.name...)
	for _, a := range n.attrs {
		b = append(append(append(append(append(b, ' '), a.name...), `="`...), attrEscape.Replace(a.value)...), '"')
	}
	if len(n.children) == 0 {
		return append(b, "/>"...), true
	}
	b = append(b, '>')
	var ok bool
	for _, c := range n.children {
		if b, ok = c.appendTo(b); !ok {
			return b, false
		}
	}
	return append(append(append(b, "</"...), n.name...), '>'), true
}

var (
	textEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")
	attrEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;", "\t", "&#9;", "\r", "&#13;")
)

// content is the text of the node itself, without that of its children.
func (n *node) content() string {
	var b strings.Builder
	for _, c := range n.children {
		if c.name == "" {
			b.WriteString(c.text)
		}
	}
	return b.String()
}

// setContent puts a text in the place of the node's own.
func (n *node) setContent(text string) {
	kept := n.children[:0]
	for _, c := range n.children {
		if c.name != "" {
			kept = append(kept, c)
		}
	}
	if n.children = kept; text != "" {
		n.children = append(n.children, &node{text: text})
	}
}

// attr returns an attribute; nil if there is none.
func (n *node) attr(name string) *attr {
	for i := range n.attrs {
		if n.attrs[i].name == name {
			return &n.attrs[i]
		}
	}
	return nil
}

// setAttr sets an attribute.
func (n *node) setAttr(name, value string) {
	if a := n.attr(name); a != nil {
		a.value = value
		return
	}
	n.attrs = append(n.attrs, attr{name, value})
}

// removeAttr takes an attribute away.
func (n *node) removeAttr(name string) {
	kept := n.attrs[:0]
	for _, a := range n.attrs {
		if a.name != name {
			kept = append(kept, a)
		}
	}
	n.attrs = kept
}

// find follows a path: the index-th child of each name. It returns the node above, too.
func (n *node) find(path []step) (at, above *node) {
	at = n
	for _, s := range path {
		i := s.index
		above = at
		at = nil
		for _, c := range above.children {
			if c.name == s.name && c.name != "" {
				if i == 0 {
					at = c
					break
				}
				i--
			}
		}
		if at == nil {
			return nil, nil
		}
	}
	return at, above
}

// remove takes a child away.
func (n *node) remove(child *node) {
	for i, c := range n.children {
		if c == child {
			n.children = append(n.children[:i:i], n.children[i+1:]...)
			return
		}
	}
}

// measure counts the nodes and the depth below.
func (n *node) measure() (nodes, depth int) {
	for _, c := range n.children {
		m, d := c.measure()
		nodes, depth = nodes+m, max(depth, d)
	}
	return nodes + 1, depth + 1
}

// clone copies the node and all below it.
func (n *node) clone() *node {
	c := &node{name: n.name, text: n.text, attrs: append([]attr(nil), n.attrs...)}
	for _, child := range n.children {
		c.children = append(c.children, child.clone())
	}
	return c
}

// isName reports whether a text can be the name of an attribute.
func isName(s string) bool {
	return s != "" && !strings.ContainsAny(s, "<>&\"'=/ \t\r\n")
}
