package ng

// Answer is a dictionary as it came, for who needs little of it: it costs no memory. Its
// texts are borrowed from it. The zero value has no key.
type Answer []byte

// valid reports whether the text is one dictionary and nothing else.
func (a Answer) valid() bool {
	rest, err := skip(a, 0)
	return err == nil && len(rest) == 0 && a[0] == 'd'
}

// Text returns the text of a key, nil without one.
func (a Answer) Text(key string) []byte {
	if len(a) == 0 {
		return nil
	}
	p := parser{a[1:]} // behind the d
	for !p.end() {
		k, err := p.bytes()
		if err != nil {
			return nil
		}
		if string(k) == key {
			text, _ := p.bytes()
			return text
		}
		if p.b, err = skip(p.b, 1); err != nil {
			return nil
		}
	}
	return nil
}

// Dict reads the whole dictionary.
func (a Answer) Dict() Dict {
	d, _ := Parse(a)
	return d
}

// skip returns what is behind a value.
func skip(b []byte, depth int) ([]byte, error) {
	switch {
	case depth > maxDepth:
		return nil, errDeep
	case len(b) == 0:
		return nil, errShort
	}
	p := parser{b}
	var err error
	switch c := b[0]; c {
	case 'i':
		p.b = b[1:]
		_, err = p.number('e')
	case 'l', 'd':
		for p.b = b[1:]; err == nil && !p.end(); {
			if c == 'd' {
				if _, err = p.bytes(); err != nil {
					break
				}
			}
			p.b, err = skip(p.b, depth+1)
		}
	default:
		_, err = p.bytes()
	}
	return p.b, err
}
