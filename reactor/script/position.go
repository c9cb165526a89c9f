package script

import (
	"fmt"
	"sort"
	"unicode/utf8"
)

// source is one file that is parsed. text is what the lexer reads; it differs
// from the file where the preprocessor has put values of the environment, and
// shifts tells where.
type source struct {
	name   string
	text   []byte
	lines  []int // offset of each line's first byte in the file
	file   []byte
	shifts []shift
	// suspect is the first string that seems to lack its end; see lexer.suspect.
	suspect Pos
}

// shift is a place of text from which on it is not parallel to the file any
// more: text[at:at+n] stands for file[from:from+m].
type shift struct{ at, n, from, m int }

// origin gives the offset in the file of an offset in the text. A byte of an
// inserted value belongs to the place where it was asked for.
func (s *source) origin(off int) int {
	i := sort.Search(len(s.shifts), func(i int) bool { return s.shifts[i].at > off })
	if i == 0 {
		return off
	}
	sh := s.shifts[i-1]
	if off < sh.at+sh.n {
		return sh.from
	}
	return off - sh.at - sh.n + sh.from + sh.m
}

func newSource(name string, file []byte) *source {
	s := &source{name: name, file: file, lines: []int{0}}
	for i, c := range file {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// Pos is a place in a configuration. The zero value is no place.
type Pos struct {
	src *source
	off int // in the file
}

// IsValid tells whether p is a place.
func (p Pos) IsValid() bool { return p.src != nil }

// File gives the name of the file as it was opened.
func (p Pos) File() string {
	if p.src == nil {
		return ""
	}
	return p.src.name
}

// Line gives the line, from 1 on; 0 if p is no place.
func (p Pos) Line() int {
	if p.src == nil {
		return 0
	}
	return sort.SearchInts(p.src.lines, p.off+1)
}

// Col gives the column in characters, from 1 on; 0 if p is no place.
func (p Pos) Col() int {
	if p.src == nil {
		return 0
	}
	start := p.src.lines[p.Line()-1]
	return utf8.RuneCount(p.src.file[start:min(p.off, len(p.src.file))]) + 1
}

// startsLine tells whether p is the first column, without counting characters.
func (p Pos) startsLine() bool { return p.src != nil && p.src.lines[p.Line()-1] == p.off }

// String gives file:line:col.
func (p Pos) String() string {
	if p.src == nil {
		return "-"
	}
	return fmt.Sprintf("%s:%d:%d", p.File(), p.Line(), p.Col())
}

// before orders places: by file in the order of their opening, then by offset.
func (p Pos) before(q Pos, order map[*source]int) bool {
	if p.src != q.src {
		return order[p.src] < order[q.src]
	}
	return p.off < q.off
}
