package script

import "fmt"

// kind is what a token is.
type kind uint8

const (
	tokEOF kind = iota
	tokIdent
	tokNumber
	tokString
	tokVar  // $..., whole, with index and transformations
	tokAddr // an IP address or network
	tokBad  // reported by the lexer

	tokLParen
	tokRParen
	tokLBrace
	tokRBrace
	tokLBracket
	tokRBracket
	tokComma
	tokSemicolon
	tokColon
	tokDot

	tokAssign // =
	tokColonEq
	tokPlusEq
	tokMinusEq
	tokMulEq
	tokDivEq
	tokModEq
	tokAndEq
	tokOrEq
	tokXorEq

	tokOr  // || or
	tokAnd // && and
	tokNot // ! not

	tokEq
	tokNe
	tokLt
	tokGt
	tokLe
	tokGe
	tokMatch   // =~
	tokNoMatch // !~

	tokBitOr
	tokBitAnd
	tokBitXor
	tokShl
	tokShr
	tokTilde

	tokPlus
	tokMinus
	tokMul
	tokDiv
	tokMod
)

var kindNames = [...]string{
	tokEOF: "end of file", tokIdent: "a name", tokNumber: "a number", tokString: "a string",
	tokVar: "a variable", tokAddr: "an address", tokBad: "a bad character",
	tokLParen: "(", tokRParen: ")", tokLBrace: "{", tokRBrace: "}", tokLBracket: "[", tokRBracket: "]",
	tokComma: ",", tokSemicolon: ";", tokColon: ":", tokDot: ".",
	tokAssign: "=", tokColonEq: ":=", tokPlusEq: "+=", tokMinusEq: "-=", tokMulEq: "*=", tokDivEq: "/=",
	tokModEq: "%=", tokAndEq: "&=", tokOrEq: "|=", tokXorEq: "^=",
	tokOr: "||", tokAnd: "&&", tokNot: "!",
	tokEq: "==", tokNe: "!=", tokLt: "<", tokGt: ">", tokLe: "<=", tokGe: ">=",
	tokMatch: "=~", tokNoMatch: "!~",
	tokBitOr: "|", tokBitAnd: "&", tokBitXor: "^", tokShl: "<<", tokShr: ">>", tokTilde: "~",
	tokPlus: "+", tokMinus: "-", tokMul: "*", tokDiv: "/", tokMod: "%",
}

// String gives the token as a message names it.
func (k kind) String() string {
	if k >= tokLParen {
		return fmt.Sprintf("%q", kindNames[k])
	}
	return kindNames[k]
}

// token is one word of the language.
type token struct {
	kind kind
	pos  Pos
	text string // name, string without quotes and escapes, variable and address as written
	num  int64
	raw  []int // of a string: the offset in the file of each byte of text
	at   int   // offset in the source's text
	end  int
}

// String gives the token for "found ...".
func (t token) String() string {
	switch t.kind {
	case tokIdent, tokVar, tokAddr:
		return clip(t.text)
	case tokNumber:
		return fmt.Sprint(t.num)
	case tokString:
		return fmt.Sprintf("the string %q", clip(t.text))
	default:
		return t.kind.String()
	}
}

// clip keeps messages short.
func clip(s string) string {
	if len(s) > 40 {
		return s[:37] + "..."
	}
	return s
}
