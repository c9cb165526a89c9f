package json

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// parse reads one document.
func parse(b []byte) (*node, error) {
	if len(b) > maxText {
		return nil, errLarge
	}
	p := parser{d: json.NewDecoder(bytes.NewReader(b))}
	p.d.UseNumber()
	n, err := p.value(0)
	switch {
	case errors.Is(err, errLarge):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	if _, err := p.d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is text behind the document")
	}
	return n, nil
}

type parser struct {
	d      *json.Decoder
	values int
}

func (p *parser) value(depth int) (*node, error) {
	t, err := p.d.Token()
	if err != nil {
		return nil, err
	}
	return p.valueOf(t, depth)
}

func (p *parser) valueOf(t json.Token, depth int) (*node, error) {
	if p.values++; depth > maxDepth || p.values > maxValues {
		return nil, errLarge
	}
	switch t := t.(type) {
	case bool:
		return booleanNode(t), nil
	case json.Number:
		return &node{kind: number, s: t.String()}, nil
	case string:
		return textNode(t), nil
	case json.Delim:
		if t == '[' {
			return p.array(depth)
		}
		return p.object(depth)
	default:
		return &node{}, nil
	}
}

func (p *parser) array(depth int) (*node, error) {
	n := &node{kind: array}
	for p.d.More() {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.list = append(n.list, v)
	}
	_, err := p.d.Token() // the bracket
	return n, err
}

// object reads the keys in their order; of two that are equal the last one counts.
func (p *parser) object(depth int) (*node, error) {
	n := &node{kind: object}
	var index map[string]int // of an object with many keys
	for p.d.More() {
		t, err := p.d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := t.(string)
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		at, known := 0, false
		if index != nil {
			at, known = index[key]
		} else if at = n.find(key); at >= 0 {
			known = true
		}
		if known {
			n.list[at] = v
			continue
		}
		n.keys, n.list = append(n.keys, key), append(n.list, v)
		if index == nil && len(n.keys) == 16 {
			index = make(map[string]int)
			for i, k := range n.keys {
				index[k] = i
			}
		} else if index != nil {
			index[key] = len(n.keys) - 1
		}
	}
	_, err := p.d.Token() // the bracket
	return n, err
}
