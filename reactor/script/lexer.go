package script

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
)

// lexer cuts a configuration into tokens. Files that are included are read in
// its place: the lexer works on the top of a stack of sources.
type lexer struct {
	rep   *report
	stack []frame
	open  opener
	total int // bytes read from all files
}

// frame is a place in a source.
type frame struct {
	src *source
	off int
}

func newLexer(rep *report, open opener) *lexer { return &lexer{rep: rep, open: open} }

func (l *lexer) top() *frame { return &l.stack[len(l.stack)-1] }

func (l *lexer) pos(off int) Pos {
	f := l.top()
	return Pos{f.src, f.src.origin(off)}
}

// next gives the next token. After an error it goes on behind what was wrong.
func (l *lexer) next() token {
	for {
		l.skipBlank()
		f := l.top()
		if f.off < len(f.src.text) {
			if l.atInclude() {
				l.include()
				continue
			}
			return l.scan()
		}
		if len(l.stack) == 1 {
			return token{kind: tokEOF, pos: l.pos(len(f.src.text)), at: f.off, end: f.off}
		}
		l.stack = l.stack[:len(l.stack)-1]
	}
}

// scan gives the token that starts at the current offset.
func (l *lexer) scan() token {
	f := l.top()
	start := f.off
	t := token{pos: l.pos(start), at: start}
	c := f.src.text[start]
	switch {
	case c == '"' || c == '\'':
		t.kind = tokString
		t.text, t.raw = l.quoted(c)
	case c == '$':
		l.variable(&t)
	case l.address(&t):
	case isDigit(c):
		l.number(&t)
	case isLetter(c):
		for f.off < len(f.src.text) && isWordByte(f.src.text[f.off]) {
			f.off++
		}
		t.kind, t.text = tokIdent, string(f.src.text[start:f.off])
		switch t.text {
		case "and":
			t.kind = tokAnd
		case "or":
			t.kind = tokOr
		case "not":
			t.kind = tokNot
		}
	default:
		l.operator(&t)
	}
	t.end = f.off
	return t
}

// skipBlank skips white space and comments.
func (l *lexer) skipBlank() {
	f := l.top()
	b := f.src.text
	for f.off < len(b) {
		rest := b[f.off:]
		switch {
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r' || rest[0] == '\n' || rest[0] == '\f' || rest[0] == '\b':
			f.off++
		case rest[0] == '#' || rest[0] == '/' && len(rest) > 1 && rest[1] == '/':
			for f.off < len(b) && b[f.off] != '\n' {
				f.off++
			}
		case rest[0] == '/' && len(rest) > 1 && rest[1] == '*':
			l.comment()
		case rest[0] == '\\' && len(rest) > 1 && (rest[1] == '\n' || rest[1] == '\r'):
			f.off++
		default:
			return
		}
	}
}

// comment skips /* */, which nest as they do in OpenSIPS.
func (l *lexer) comment() {
	f := l.top()
	b, start, depth := f.src.text, f.off, 0
	for f.off+1 < len(b) {
		switch {
		case b[f.off] == '/' && b[f.off+1] == '*':
			depth++
			f.off += 2
		case b[f.off] == '*' && b[f.off+1] == '/':
			depth--
			f.off += 2
			if depth == 0 {
				return
			}
		default:
			f.off++
		}
	}
	f.off = len(b)
	l.rep.errorf(l.pos(start), "the comment that begins here has no end (comments nest: each /* needs its */)")
}

// quoted reads a string. Escapes count in "" only. A backslash before anything
// that is no escape stays, so "^\+" is a regular expression as it stands.
// raw has the place in the file of each byte, and of the closing quote.
func (l *lexer) quoted(quote byte) (text string, raw []int) {
	f := l.top()
	b, start := f.src.text, f.off
	f.off++
	var out []byte
	for f.off < len(b) {
		c := b[f.off]
		if len(raw) == len(out) {
			raw = append(raw, f.src.origin(f.off))
		}
		switch {
		case c == quote:
			f.off++
			l.suspect(start)
			return string(out), raw
		case c == '\\' && quote == '"' && f.off+1 < len(b):
			out = l.escape(out)
		case c == '$' && hasPrefixAt(b, f.off, "$ENV("):
			l.rep.errorf(l.pos(f.off), "%s", missingEnv(b[f.off:]))
			out = append(out, c)
			f.off++
		default:
			out = append(out, c)
			f.off++
		}
	}
	if f.src.suspect.IsValid() {
		l.rep.endless(f.src.suspect)
	} else {
		l.rep.endless(l.pos(start))
	}
	return string(out), append(raw, len(f.src.file))
}

// suspect notes the first string that looks as if its quote at the end were
// missing: it goes on to a quote on another line, and text begins right behind that.
func (l *lexer) suspect(start int) {
	f := l.top()
	b := f.src.text
	if f.src.suspect.IsValid() || f.off == len(b) || !isWordByte(b[f.off]) && strings.IndexByte("/$%:@", b[f.off]) < 0 {
		return
	}
	if bytes.IndexByte(b[start:f.off], '\n') >= 0 {
		f.src.suspect = l.pos(start)
	}
}

func (l *lexer) escape(out []byte) []byte {
	f := l.top()
	b := f.src.text
	c := b[f.off+1]
	if i := strings.IndexByte(`nrat"\`, c); i >= 0 {
		f.off += 2
		return append(out, "\n\r\a\t\"\\"[i])
	}
	switch {
	case c == '\n':
		f.off += 2
		return out
	case c == 'x' && f.off+2 < len(b) && isHex(b[f.off+2]):
		n := 3
		if f.off+3 < len(b) && isHex(b[f.off+3]) {
			n = 4
		}
		v, _ := strconv.ParseUint(string(b[f.off+2:f.off+n]), 16, 8)
		f.off += n
		return append(out, byte(v))
	case isOctal(c) && f.off+2 < len(b) && isOctal(b[f.off+2]):
		// One digit is a back reference of a substitution.
		n := 3
		if f.off+3 < len(b) && isOctal(b[f.off+3]) && c <= '3' {
			n = 4
		}
		v, _ := strconv.ParseUint(string(b[f.off+1:f.off+n]), 8, 8)
		f.off += n
		return append(out, byte(v))
	}
	f.off++
	return append(out, '\\')
}

// number reads a decimal, 0x or octal number.
func (l *lexer) number(t *token) {
	f := l.top()
	b, start := f.src.text, f.off
	for f.off < len(b) && isWordByte(b[f.off]) {
		f.off++
	}
	text := string(b[start:f.off])
	base := text
	if strings.HasPrefix(text, "0b") || strings.HasPrefix(text, "0o") || strings.Contains(text, "_") {
		base = "x"
	}
	n, err := strconv.ParseInt(base, 0, 64)
	t.kind, t.num, t.text = tokNumber, n, text
	if err != nil {
		l.rep.errorf(t.pos, "%s is not a number (decimal, 0x... or octal 0...)", clip(text))
	}
}

// address reads an IPv4 or IPv6 address or network, if there is one.
func (l *lexer) address(t *token) bool {
	f := l.top()
	b := f.src.text
	end := addressEnd(b, f.off, ".")
	if !isAddress(b, f.off, end) {
		if end = addressEnd(b, f.off, ".:abcdefABCDEF"); !isAddress(b, f.off, end) {
			return false
		}
	}
	if end+1 < len(b) && b[end] == '/' && isDigit(b[end+1]) {
		end = addressEnd(b, end+1, ".")
	}
	t.kind, t.text = tokAddr, string(b[f.off:end])
	f.off = end
	return true
}

// maxAddress is longer than any address.
const maxAddress = 64

// addressEnd skips digits and the bytes of more, as far as an address could go.
func addressEnd(b []byte, i int, more string) int {
	b = b[:min(len(b), i+maxAddress)]
	for i < len(b) && (isDigit(b[i]) || strings.IndexByte(more, b[i]) >= 0) {
		i++
	}
	return i
}

func isAddress(b []byte, from, end int) bool {
	if end-from < 2 || end < len(b) && isWordByte(b[end]) {
		return false
	}
	_, err := netip.ParseAddr(string(b[from:end]))
	return err == nil
}

func hasPrefixAt(b []byte, at int, s string) bool {
	return len(b)-at >= len(s) && string(b[at:at+len(s)]) == s
}

func isDigit(c byte) bool    { return '0' <= c && c <= '9' }
func isOctal(c byte) bool    { return '0' <= c && c <= '7' }
func isLetter(c byte) bool   { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }
func isWordByte(c byte) bool { return isLetter(c) || isDigit(c) }
func isHex(c byte) bool      { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
