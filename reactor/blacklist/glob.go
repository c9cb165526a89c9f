package blacklist

// glob reports whether a text is what a pattern says, as fnmatch(3) without flags:
// * is anything, ? any byte, [a-z] and [!a-z] one of a set, \ takes the next
// literally. It takes at most len(pattern) times len(text) steps.
func glob(pattern string, text []byte) bool {
	p, t := 0, 0
	star, from := -1, 0 // the last *, and what it has not taken yet
	for t < len(text) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, t
			p++
			continue
		}
		if n := one(pattern[p:], text[t]); n > 0 {
			p, t = p+n, t+1
			continue
		}
		if star < 0 {
			return false
		}
		from++
		p, t = star+1, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// one tells how long the part of a pattern is that takes a byte; 0: it does not.
func one(p string, c byte) int {
	if p == "" {
		return 0
	}
	switch p[0] {
	case '*':
		return 0
	case '?':
		return 1
	case '[':
		if n, ok := set(p, c); n > 0 {
			if ok {
				return n
			}
			return 0
		}
	case '\\':
		if len(p) > 1 {
			if p[1] == c {
				return 2
			}
			return 0
		}
	}
	if p[0] == c {
		return 1
	}
	return 0
}

// set reads [a-z]: its length, 0 if it does not end, and whether c is in it.
func set(p string, c byte) (n int, in bool) {
	i := 1
	not := i < len(p) && (p[i] == '!' || p[i] == '^')
	if not {
		i++
	}
	for first := i; i < len(p); i++ {
		if p[i] == ']' && i > first {
			return i + 1, in != not
		}
		lo, hi := p[i], p[i]
		if i+2 < len(p) && p[i+1] == '-' && p[i+2] != ']' {
			hi = p[i+2]
			i += 2
		}
		in = in || lo <= c && c <= hi
	}
	return 0, false
}
