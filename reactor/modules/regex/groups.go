package regex

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// options are what the module's parameters say of all expressions.
type options struct {
	caseless, multiline, dotAll, extended bool
	maxGroups, maxSize                    int
}

// prefix gives the flags as they stand before an expression.
func (o *options) prefix() string {
	flags := ""
	for _, f := range []struct {
		on   bool
		name string
	}{{o.caseless, "i"}, {o.multiline, "m"}, {o.dotAll, "s"}} {
		if f.on {
			flags += f.name
		}
	}
	if flags == "" {
		return ""
	}
	return "(?" + flags + ")"
}

// compile compiles an expression.
func (o *options) compile(s string) (*regexp.Regexp, error) {
	return regexp.Compile(o.prefix() + o.plain(s))
}

// plain gives an expression as package regexp takes it.
func (o *options) plain(s string) string {
	if o.extended {
		return withoutBlanks(s)
	}
	return s
}

// withoutBlanks takes out what PCRE's extended syntax ignores: blanks, and comments from
// # to the end of the line, but where they are escaped or in a class.
func withoutBlanks(s string) string {
	var b strings.Builder
	class := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			if next := s[i+1]; class || !strings.ContainsRune(" \t#", rune(next)) {
				b.WriteByte(c)
			}
			i++
			b.WriteByte(s[i])
		case class:
			class = c != ']'
			b.WriteByte(c)
		case c == '[':
			class = true
			b.WriteByte(c)
		case c == '#':
			if n := strings.IndexByte(s[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(s)
			}
		case strings.IndexByte(" \t\r\n\f", c) >= 0:
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// parseGroups reads a file of groups: each begins with a line [number], and its lines
// are expressions of which one has to match. Lines that begin with a blank or # are
// ignored. A group's number is its place in the file, whatever stands in the brackets.
func parseGroups(text []byte, o *options) ([]*regexp.Regexp, error) {
	var groups []*regexp.Regexp
	var lines []string
	size, begun := 0, false
	end := func() error {
		if !begun {
			return nil
		}
		re, err := regexp.Compile(o.prefix() + "(?:" + strings.Join(lines, "|") + ")")
		if err != nil {
			return err
		}
		groups, lines, size = append(groups, re), nil, 0
		return nil
	}
	scan := bufio.NewScanner(bytes.NewReader(text))
	scan.Buffer(nil, 1<<20)
	for n := 1; scan.Scan(); n++ {
		line := strings.TrimRight(scan.Text(), "\r")
		switch {
		case line == "" || strings.IndexByte(" \t#", line[0]) >= 0:
		case line[0] == '[':
			if err := end(); err != nil {
				return nil, fmt.Errorf("the group before line %d: %w", n, err)
			}
			if begun = true; len(groups) >= o.maxGroups {
				return nil, fmt.Errorf("line %d: there are more than %d groups (max_groups)", n, o.maxGroups)
			}
		case !begun:
			return nil, fmt.Errorf("line %d: an expression stands before the first group [0]", n)
		default:
			if size += len(line); size > o.maxSize {
				return nil, fmt.Errorf("line %d: the group is larger than %d bytes (group_max_size)", n, o.maxSize)
			}
			if _, err := o.compile(line); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			lines = append(lines, "(?:"+o.plain(line)+")")
		}
	}
	if err := scan.Err(); err != nil {
		return nil, err
	}
	if err := end(); err != nil {
		return nil, err
	}
	if len(groups) == 0 {
		return nil, errors.New("there is no group")
	}
	return groups, nil
}
