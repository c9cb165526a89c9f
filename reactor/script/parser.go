package script

import (
	"slices"
	"strings"
)

// parse reads a configuration from src, as far as the report has room for what is wrong
// with it; name is what errors call it, and files it includes are looked for beside it.
func parse(name string, src []byte, rep *report, open opener) *parsedFile {
	l := newLexer(rep, open)
	l.push(name, src)
	p := &parser{lex: l, rep: rep}
	f := &parsedFile{Name: name, rep: rep}
	for p.peek().kind != tokEOF && !rep.full() {
		if item := p.item(); item != nil {
			f.Items = append(f.Items, item)
		}
	}
	f.Notes = rep.notes
	return f
}

// parser reads items and statements by recursive descent. It looks one token
// ahead, and only when it has to: the words of a socket are read by other rules
// than the rest.
type parser struct {
	lex   *lexer
	rep   *report
	ahead []token
	loops int // depth of what break can leave
	depth int
}

func (p *parser) peek() token {
	if len(p.ahead) == 0 {
		p.ahead = append(p.ahead, p.lex.next())
	}
	return p.ahead[0]
}

func (p *parser) next() token {
	t := p.peek()
	if t.kind != tokEOF {
		p.ahead = p.ahead[:0]
	}
	return t
}

// accept takes the next token if it is of the kind.
func (p *parser) accept(k kind) bool {
	if p.peek().kind != k {
		return false
	}
	p.next()
	return true
}

// expect takes a token of the kind or reports what is there instead.
func (p *parser) expect(k kind, what string) (token, bool) {
	t := p.peek()
	if t.kind != k {
		p.wrong(t, k.String()+what)
		return t, false
	}
	return p.next(), true
}

// wrong reports that something else was expected. A bad token was reported by
// the lexer.
func (p *parser) wrong(t token, wanted string) {
	if t.kind != tokBad {
		p.rep.errorf(t.pos, "found %v, expected %s", t, wanted)
	}
}

// word tells whether the next token is the name.
func (p *parser) word(name string) bool {
	t := p.peek()
	return t.kind == tokIdent && t.text == name
}

// startsItem tells whether a word begins an item, which may stand on the line of
// the item before: a word that says so by itself, or name = value.
func (p *parser) startsItem(t token) bool {
	if t.kind != tokIdent {
		return false
	}
	if slices.Contains(itemWords, t.text) {
		return true
	}
	text := t.pos.src.text
	rest := strings.TrimLeft(string(text[t.end:min(len(text), t.end+maxBlank)]), " \t")
	return strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, "==")
}

// varAt reads the variable that a token is.
func (p *parser) varAt(t token) *varExpr {
	r := varReader{rep: p.rep, text: t.text, at: func(i int) Pos {
		return Pos{t.pos.src, t.pos.src.origin(t.at + i)}
	}}
	return r.whole()
}

// formatOf cuts a string into plain parts and variables.
func formatOf(rep *report, s *stringExpr) []formatPart {
	if !strings.Contains(s.Text, "$") {
		return []formatPart{{Text: s.Text}}
	}
	r := varReader{rep: rep, text: s.Text, at: func(i int) Pos {
		if i < len(s.raw) {
			return Pos{s.At.src, s.raw[i]}
		}
		return s.At
	}}
	return r.format()
}
