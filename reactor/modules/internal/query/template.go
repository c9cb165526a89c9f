package query

import (
	"errors"
	"fmt"
	"strings"

	"sipreactor/reactor/store"
)

// Part is a piece of a query as the script has it: text, or a variable.
type Part struct {
	Text string // of the script; for a variable its name, for errors
	Var  bool
	// Escaped is whether the variable's last transformation is {s.escape.common}.
	Escaped bool
}

// Template is a query of a script for one kind of database. It is immutable.
type Template struct {
	segments []segment
	// Raw is whether the whole query is variables: what they bring is SQL.
	Raw bool
}

type segmentKind uint8

const (
	sqlSegment     segmentKind = iota // text
	numberSegment                     // a variable outside of quotes
	literalSegment                    // what stood in quotes with a variable
)

type segment struct {
	kind   segmentKind
	text   string
	at     int // of a number: which variable
	pieces []piece
}

// piece is a part of a literal.
type piece struct {
	text    string
	at      int // which variable, below 0 for text
	escaped bool
}

// scanner goes through the parts of a query.
type scanner struct {
	scheme store.Scheme
	out    []segment
	text   strings.Builder // of the SQL so far
	quote  byte            // that is open, 0 none
	close  string          // of a comment that is open, "" none
	// Of the literal that is open:
	raw    strings.Builder // as it stands, quotes included
	piece  strings.Builder // text since the last variable, without escapes
	pieces []piece
	slash  bool // backslashes escape
}

// Compile reads a query for a kind of database. Variables are counted in order, from 0.
func Compile(parts []Part, scheme store.Scheme) (*Template, error) {
	if raw(parts) {
		return &Template{Raw: true, segments: variables(parts)}, nil
	}
	s := scanner{scheme: scheme}
	n := 0
	for _, p := range parts {
		if !p.Var {
			if err := s.scan(p.Text); err != nil {
				return nil, err
			}
			continue
		}
		if err := s.variable(p, n); err != nil {
			return nil, err
		}
		n++
	}
	switch {
	case s.quote != 0:
		return nil, fmt.Errorf("the query has a %c that is not closed", s.quote)
	case s.close != "" && s.close != "\n":
		return nil, errors.New("the query has a comment that is not closed")
	}
	s.flush()
	return &Template{segments: s.out}, nil
}

// raw reports whether a query is made of variables alone.
func raw(parts []Part) bool {
	some := false
	for _, p := range parts {
		if !p.Var && strings.TrimSpace(p.Text) != "" {
			return false
		}
		some = some || p.Var
	}
	return some
}

func variables(parts []Part) (list []segment) {
	n := 0
	for _, p := range parts {
		if p.Var {
			list = append(list, segment{kind: numberSegment, at: n, text: p.Text})
			n++
		} else {
			list = append(list, segment{text: p.Text})
		}
	}
	return list
}

func (s *scanner) flush() {
	if s.text.Len() > 0 {
		s.out = append(s.out, segment{text: s.text.String()})
		s.text.Reset()
	}
}

func (s *scanner) variable(p Part, n int) error {
	switch {
	case s.close != "":
		return fmt.Errorf("%s stands in a comment of the query", p.Text)
	case s.quote == 0:
		s.flush()
		s.out = append(s.out, segment{kind: numberSegment, at: n, text: p.Text})
	case !s.literal():
		return fmt.Errorf("%s stands in a name that %c quotes: a table or column cannot come from a variable", p.Text, s.quote)
	default:
		s.endPiece()
		s.pieces = append(s.pieces, piece{at: n, escaped: p.Escaped})
	}
	return nil
}

func (s *scanner) endPiece() {
	if s.piece.Len() > 0 {
		s.pieces = append(s.pieces, piece{text: s.piece.String(), at: -1})
		s.piece.Reset()
	}
}

// literal reports whether what is quoted is a text and no name.
func (s *scanner) literal() bool {
	return s.quote == '\'' || s.quote == '"' && s.scheme == store.MySQL
}

func (s *scanner) scan(text string) error {
	for i := 0; i < len(text); i++ {
		c := text[i]
		next := byte(0)
		if i+1 < len(text) {
			next = text[i+1]
		}
		switch {
		case s.close != "":
			s.text.WriteByte(c)
			if strings.HasPrefix(text[i:], s.close) {
				s.text.WriteString(s.close[1:])
				i += len(s.close) - 1
				s.close = ""
			}
		case s.quote == 0:
			s.plain(c, next)
		case c == s.quote && next == s.quote: // doubled: one that belongs to it
			s.take(text[i:i+2], c)
			i++
		case c == s.quote:
			if err := s.end(); err != nil {
				return err
			}
		case c == '\\' && s.slash && i+1 < len(text):
			if s.scheme == store.MySQL && (next == '%' || next == '_') { // of LIKE: both stay
				s.take("", c)
				s.take(text[i:i+2], next)
			} else {
				s.take(text[i:i+2], unescape(next))
			}
			i++
		default:
			s.take(text[i:i+1], c)
		}
	}
	return nil
}

// plain takes a character outside of quotes.
func (s *scanner) plain(c, next byte) {
	switch {
	case c == '\'' || c == '"' || c == '`':
		s.quote = c
		s.raw.WriteByte(c)
		s.slash = s.literal() && (s.scheme == store.MySQL || s.scheme == store.Postgres && s.prefix() == "E")
		return
	case c == '-' && next == '-', c == '#' && s.scheme == store.MySQL:
		s.close = "\n"
	case c == '/' && next == '*':
		s.close = "*/"
	}
	s.text.WriteByte(c)
}

// take adds to the literal: as it stands, and what that means.
func (s *scanner) take(as string, c byte) {
	s.raw.WriteString(as)
	s.piece.WriteByte(c)
}

// end closes what is quoted: without a variable it stays as it stands.
func (s *scanner) end() error {
	s.raw.WriteByte(s.quote)
	s.quote = 0
	if len(s.pieces) == 0 {
		s.text.WriteString(s.raw.String())
	} else {
		s.endPiece()
		switch prefix := s.prefix(); prefix {
		case "":
		case "E", "N": // of a text: the value has no use for it
			text := s.text.String()
			s.text.Reset()
			s.text.WriteString(text[:len(text)-1])
		default:
			return fmt.Errorf("a variable cannot stand in %s'...'", prefix)
		}
		s.flush()
		s.out = append(s.out, segment{kind: literalSegment, pieces: s.pieces})
	}
	s.raw.Reset()
	s.piece.Reset()
	s.pieces = nil
	return nil
}

// prefix is the word, in capitals, that stands right before what is quoted.
func (s *scanner) prefix() string {
	text := s.text.String()
	end := len(text)
	begin := end
	for begin > 0 && isWord(text[begin-1]) {
		begin--
	}
	return strings.ToUpper(text[begin:end])
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case '0':
		return 0
	case 'b':
		return '\b'
	case 'Z':
		return 26
	default:
		return c
	}
}
