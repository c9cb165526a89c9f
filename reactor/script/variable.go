package script

import (
	"strconv"
	"strings"
)

// varExpr is a variable as it is written: $name, $name(arg), $(name(arg)[index]{transformation}...).
type varExpr struct {
	node
	Text  string
	Name  string
	Of    string    // the message that is meant, request or reply; "" is the one at hand
	Arg   *varArg   // nil: no parentheses
	Index *varIndex // nil: no brackets
	Trans []*varTransform
}

// varArg is what stands in the parentheses of a variable or between the commas
// of a transformation: text or another variable.
type varArg struct {
	At   Pos
	Text string
	Var  *varExpr // nil: it is the text
}

// varIndex is what stands in the brackets of a variable: a number, all (*), or a
// variable.
type varIndex struct {
	At  Pos
	All bool
	// Append is the end of an AVP's values, to assign to.
	Append bool
	N      int
	Var    *varExpr
	// Among is the word behind a /, which says among what is counted.
	Among string
}

// varTransform is one {class.name,arg,...} behind a variable.
type varTransform struct {
	At   Pos
	Name string // with its class, such as uri.host
	Args []*varArg
}

// formatPart is a piece of a string in which variables are expanded.
type formatPart struct {
	Text string
	Var  *varExpr // nil: it is the text
}

// dottedNames are the variables that have a dot in their name; init of the
// variables fills it.
var dottedNames = map[string]struct{}{}

// maxNesting bounds variables in variables, and brackets in expressions.
const maxNesting = 100

// varReader reads variables from text. at gives the place of its bytes.
type varReader struct {
	rep   *report
	text  string
	at    func(i int) Pos
	depth int
}

// whole reads text that is one variable.
func (r *varReader) whole() *varExpr {
	v, end := r.read(0)
	if v != nil && end != len(r.text) {
		r.rep.errorf(r.at(end), "%q does not belong to the variable %s", clip(r.text[end:]), clip(r.text[:end]))
		return nil
	}
	return v
}

// format cuts text into plain parts and variables; $$ is a dollar.
func (r *varReader) format() []formatPart {
	var parts []formatPart
	from := 0
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			parts = append(parts, formatPart{Text: plain.String()})
			plain.Reset()
		}
	}
	for i := 0; i < len(r.text); {
		if r.text[i] != '$' {
			i++
			continue
		}
		plain.WriteString(r.text[from:i])
		if strings.HasPrefix(r.text[i:], "$$") {
			plain.WriteByte('$')
			i += 2
			from = i
			continue
		}
		v, end := r.read(i)
		if v == nil {
			return nil
		}
		flush()
		parts = append(parts, formatPart{Var: v})
		i, from = end, end
	}
	plain.WriteString(r.text[from:])
	flush()
	return parts
}

// read reads the variable that begins with the $ at i. It gives nil after an
// error.
func (r *varReader) read(i int) (*varExpr, int) {
	end, ok := variableEnd([]byte(r.text), i, r.rep.words)
	if !ok {
		if end == i+1 {
			r.rep.errorf(r.at(i), "a variable needs a name behind the $ (a plain dollar is $$)")
		} else {
			r.rep.errorf(r.at(i), "the variable that begins here has no closing bracket")
		}
		return nil, end
	}
	if r.depth++; r.depth > maxNesting {
		r.rep.errorf(r.at(i), "variables are nested more than %d deep", maxNesting)
		return nil, end
	}
	defer func() { r.depth-- }()
	v := &varExpr{node: node{r.at(i)}, Text: r.text[i:end]}
	j, stop := i+1, end
	if r.text[j] == '(' {
		j, stop = j+1, end-1
	}
	if r.text[j] == '$' { // $$, the dollar itself
		v.Name = "$"
		return v, end
	}
	if r.text[j] == '<' {
		n := strings.IndexByte(r.text[j:stop], '>')
		if n < 0 || r.text[j+1:j+n] != "request" && r.text[j+1:j+n] != "reply" {
			r.rep.errorf(r.at(j), "a variable is that of <request> or of <reply>")
			return nil, end
		}
		v.Of = r.text[j+1 : j+n]
		j += n + 1
	}
	from := j
	for j < stop && isWordByte(r.text[j]) {
		j++
	}
	if k, dotted := dottedEnd([]byte(r.text[:stop]), from-1, j, r.rep.words); dotted {
		j = k
	}
	v.Name = r.text[from:j]
	if v.Name == "" {
		r.rep.errorf(v.At, "%s has no name", clip(v.Text))
		return nil, end
	}
	if j < stop && r.text[j] == '(' {
		k, closed := closing([]byte(r.text[:stop]), j)
		if !closed {
			r.rep.errorf(r.at(j), "( has no closing bracket")
			return nil, end
		}
		if v.Arg = r.arg(j+1, k-1); v.Arg == nil {
			return nil, end
		}
		j = k
	}
	if j < stop && r.text[j] == '[' {
		if j, ok = r.index(v, j, stop); !ok {
			return nil, end
		}
	}
	for j < stop && r.text[j] == '{' {
		k := brace(r.text[:stop], j)
		if k < 0 {
			r.rep.errorf(r.at(j), "{ has no closing bracket")
			return nil, end
		}
		t := r.transform(j+1, k)
		if t == nil {
			return nil, end
		}
		v.Trans = append(v.Trans, t)
		j = k + 1
	}
	if j != stop {
		r.rep.errorf(r.at(j), "unexpected %q in the variable %s", clip(r.text[j:stop]), clip(v.Text))
		return nil, end
	}
	return v, end
}

// arg reads text[from:to], which is plain or a variable.
func (r *varReader) arg(from, to int) *varArg {
	if trimmed := strings.Trim(r.text[from:to], " \t"); len(trimmed) > 1 && trimmed[0] == '$' {
		from += strings.IndexByte(r.text[from:to], '$')
		to = from + len(trimmed)
	}
	a := &varArg{At: r.at(from), Text: r.text[from:to]}
	if !strings.HasPrefix(a.Text, "$") || a.Text == "$" {
		return a
	}
	v, end := r.read(from)
	if v == nil {
		return nil
	}
	switch {
	case end > to: // its brackets close behind those that it stands in
		r.rep.errorf(r.at(from), "the variable that begins here has no closing bracket")
		return nil
	case end < to:
		r.rep.errorf(r.at(end), "%q stands behind the variable %s", clip(r.text[end:to]), clip(v.Text))
		return nil
	}
	a.Var = v
	return a
}

func (r *varReader) index(v *varExpr, from, stop int) (int, bool) {
	k, closed := closing([]byte(r.text[:stop]), from)
	if !closed {
		r.rep.errorf(r.at(from), "[ has no closing bracket")
		return from, false
	}
	x := &varIndex{At: r.at(from + 1)}
	text, among, _ := strings.Cut(strings.TrimSpace(r.text[from+1:k-1]), "/")
	x.Among = among
	switch {
	case text == "*":
		x.All = true
	case text == "append" && v.Name == "avp":
		x.Append = true
	case strings.HasPrefix(text, "$"):
		a := r.arg(from+1+strings.Index(r.text[from+1:k-1], "$"), from+1+strings.Index(r.text[from+1:k-1], "$")+len(text))
		if a == nil || a.Var == nil {
			return k, false
		}
		x.Var = a.Var
	default:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			r.rep.errorf(x.At, "%q is no index: a number (negative counts from the end), * or a variable", clip(text))
			return k, false
		}
		x.N = int(n)
	}
	v.Index = x
	return k, true
}

// transform reads class.name,arg,... between the braces.
func (r *varReader) transform(from, to int) *varTransform {
	for from < to && r.text[from] == ' ' {
		from++
	}
	t := &varTransform{At: r.at(from)}
	comma := strings.IndexByte(r.text[from:to], ',')
	if comma < 0 {
		t.Name = strings.TrimSpace(r.text[from:to])
		return t
	}
	t.Name = strings.TrimSpace(r.text[from : from+comma])
	i := from + comma + 1
	left := 0 // arguments that end at a comma; 0 = all
	if spec := transforms[t.Name]; spec != nil {
		left = spec.raw
	}
	for n := 1; ; n++ {
		end := to
		if left == 0 || n < left {
			end = argEnd(r.text, i, to)
		}
		a := r.arg(i, end)
		if a == nil {
			return nil
		}
		t.Args = append(t.Args, a)
		if end == to {
			return t
		}
		i = end + 1
	}
}

// argEnd gives the offset of the comma that ends an argument, or to.
func argEnd(s string, i, to int) int {
	for depth := 0; i < to; i++ {
		switch s[i] {
		case '(', '{':
			depth++
		case ')', '}':
			depth--
		case ',':
			if depth <= 0 {
				return i
			}
		}
	}
	return to
}

// brace gives the offset of the } that closes the { at off, -1 if there is none.
func brace(s string, off int) int {
	for i, depth := off, 0; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
