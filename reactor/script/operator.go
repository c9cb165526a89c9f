package script

import (
	"bytes"
	"unicode/utf8"
)

// operators are matched longest first.
var operators = []struct {
	text string
	kind kind
}{
	{"||", tokOr}, {"&&", tokAnd}, {"==", tokEq}, {"!=", tokNe}, {"<=", tokLe}, {">=", tokGe},
	{"=~", tokMatch}, {"!~", tokNoMatch}, {"<<", tokShl}, {">>", tokShr},
	{":=", tokColonEq}, {"+=", tokPlusEq}, {"-=", tokMinusEq}, {"*=", tokMulEq}, {"/=", tokDivEq},
	{"%=", tokModEq}, {"&=", tokAndEq}, {"|=", tokOrEq}, {"^=", tokXorEq},
	{"(", tokLParen}, {")", tokRParen}, {"{", tokLBrace}, {"}", tokRBrace}, {"[", tokLBracket},
	{"]", tokRBracket}, {",", tokComma}, {";", tokSemicolon}, {":", tokColon}, {".", tokDot},
	{"=", tokAssign}, {"!", tokNot}, {"<", tokLt}, {">", tokGt}, {"|", tokBitOr}, {"&", tokBitAnd},
	{"^", tokBitXor}, {"~", tokTilde}, {"+", tokPlus}, {"-", tokMinus}, {"*", tokMul}, {"/", tokDiv},
	{"%", tokMod},
}

// operator reads an operator or a bracket.
func (l *lexer) operator(t *token) {
	f := l.top()
	for _, op := range operators {
		if hasPrefixAt(f.src.text, f.off, op.text) {
			f.off += len(op.text)
			t.kind, t.text = op.kind, op.text
			return
		}
	}
	_, n := utf8.DecodeRune(f.src.text[f.off:])
	t.kind, t.text = tokBad, string(f.src.text[f.off:f.off+n])
	f.off += n
	l.rep.errorf(t.pos, "unexpected character %q", t.text)
}

// variable reads $name, $name(inner)[index], $(name(inner)[index]{transformation}).
// What is inside is read later; here only the end matters.
func (l *lexer) variable(t *token) {
	f := l.top()
	end, ok := variableEnd(f.src.text, f.off, l.rep.words)
	t.kind, t.text = tokVar, string(f.src.text[f.off:end])
	switch {
	case hasPrefixAt(f.src.text, f.off, "$ENV("):
		l.rep.errorf(t.pos, "%s", missingEnv(f.src.text[f.off:]))
		t.kind = tokBad
	case !ok && end == f.off+1:
		l.rep.errorf(t.pos, "a variable needs a name behind the $")
		t.kind = tokBad
	case !ok:
		l.rep.errorf(t.pos, "the variable that begins here has no closing bracket")
		t.kind = tokBad
	}
	f.off = end
}

// variableEnd gives the offset behind the variable that begins with the $ at
// off. ok is false if a bracket has no end or no name follows.
func variableEnd(b []byte, off int, words *vocabulary) (end int, ok bool) {
	i := off + 1
	if i < len(b) && b[i] == '(' {
		return closing(b, i)
	}
	if i < len(b) && b[i] == '$' {
		return i + 1, true
	}
	for i < len(b) && isWordByte(b[i]) {
		i++
	}
	if i == off+1 {
		return i, false
	}
	if j, dotted := dottedEnd(b, off, i, words); dotted {
		i = j
	}
	if i < len(b) && b[i] == '(' {
		if i, ok = closing(b, i); !ok {
			return i, false
		}
	}
	if i < len(b) && b[i] == '[' && indexLike(b[i+1:]) {
		return closing(b, i)
	}
	return i, true
}

// dottedEnd extends a name to one that has dots, the longest if there is such a
// variable.
func dottedEnd(b []byte, off, i int, words *vocabulary) (end int, known bool) {
	end = i
	for i+1 < len(b) && b[i] == '.' && isLetter(b[i+1]) {
		for i++; i < len(b) && isWordByte(b[i]); {
			i++
		}
		if words.isDotted(b[off+1 : i]) {
			end, known = i, true
		}
	}
	return end, known
}

// indexLike tells whether what follows a [ can be an index: a number, * or a
// variable.
func indexLike(b []byte) bool {
	return len(b) > 0 && (isDigit(b[0]) || b[0] == '-' || b[0] == '*' || b[0] == '$' || bytes.HasPrefix(b, []byte("append]")))
}

// closing gives the offset behind the bracket that closes the one at off. The
// other kinds of brackets in between are pairs, too; a line end in parentheses
// is allowed, as there.
func closing(b []byte, off int) (int, bool) {
	depth := 0
	open, shut := b[off], byte(')')
	if open == '[' {
		shut = ']'
	}
	for i := off; i < len(b); i++ {
		switch b[i] {
		case open:
			depth++
		case shut:
			depth--
			if depth == 0 {
				return i + 1, true
			}
		}
	}
	return len(b), false
}
