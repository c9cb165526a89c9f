package script

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"sipreactor/tlsstate/regular"
)

// opener reads a file of a configuration.
type opener func(path string) ([]byte, error)

const (
	maxIncludes = 50      // nested files
	maxSource   = 4 << 20 // bytes of all files together
	maxEnvName  = 256     // bytes of $ENV(NAME)
)

// byteOrderMark is what some editors begin a text in UTF-8 with. It says nothing.
var byteOrderMark = []byte("\ufeff")

// readFile reads a regular file: a configuration that includes a device would
// never end.
func readFile(path string) ([]byte, error) {
	f, err := regular.Open(path)
	for _, kind := range []error{regular.ErrFolder, regular.ErrNotRegular} {
		if errors.Is(err, kind) {
			return nil, kind // the caller names the file
		}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err == nil && len(b) > maxSource {
		err = fmt.Errorf("larger than %d bytes", maxSource)
	}
	return b, err
}

// push has the lexer go on in another source.
func (l *lexer) push(name string, file []byte) {
	file = bytes.TrimPrefix(file, byteOrderMark)
	src := newSource(name, file)
	l.rep.opened(src)
	expandEnv(src, l.rep)
	if at := bytes.IndexByte(file, 0); at >= 0 {
		l.rep.errorf(Pos{src, at}, "this is no text: a configuration has no NUL byte")
		src.text = nil // one error says it
	}
	l.total += len(file)
	l.stack = append(l.stack, frame{src: src})
}

// atInclude tells whether an include stands here: as in OpenSIPS, the first
// word of its line, followed by a quoted name.
func (l *lexer) atInclude() bool {
	f := l.top()
	b := f.src.text
	if !hasPrefixAt(b, f.off, "include_file") && !hasPrefixAt(b, f.off, "import_file") {
		return false
	}
	for i := f.off - 1; i >= 0 && b[i] != '\n'; i-- {
		if b[i] != ' ' && b[i] != '\t' && b[i] != '\r' {
			return false
		}
	}
	i := f.off
	for i < len(b) && isWordByte(b[i]) {
		i++
	}
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	return i < len(b) && (b[i] == '"' || b[i] == '\'')
}

// include reads include_file "path" or import_file "path". The path is relative
// to the file that names it, else to the working directory. A file that is not
// there is an error for include_file and a note for import_file.
func (l *lexer) include() {
	f := l.top()
	at := l.pos(f.off)
	optional := hasPrefixAt(f.src.text, f.off, "import_file")
	for isWordByte(f.src.text[f.off]) {
		f.off++
	}
	l.skipBlank()
	path, _ := l.quoted(f.src.text[f.off])
	if path == "" {
		l.rep.errorf(at, "the file to include has no name")
		return
	}
	if len(l.stack) >= maxIncludes {
		l.rep.errorf(at, "files are included %d deep: %s", maxIncludes, clip(path))
		return
	}
	tries := []string{path}
	if !filepath.IsAbs(path) {
		if near := filepath.Join(filepath.Dir(f.src.name), path); near != path {
			tries = []string{near, path}
		}
	}
	var first error
	for _, p := range tries {
		for _, open := range l.stack {
			if open.src.name == p {
				l.rep.errorf(at, "%s includes itself", p)
				return
			}
		}
		b, err := l.open(p)
		if err == nil && l.total+len(b) > maxSource {
			err = fmt.Errorf("all files together are larger than %d bytes", maxSource)
		}
		if err == nil {
			l.push(p, b)
			return
		}
		if first == nil || !errors.Is(err, fs.ErrNotExist) {
			first = err
		}
	}
	if optional && errors.Is(first, fs.ErrNotExist) {
		l.rep.notef(at, "import_file %q: there is no such file, nothing is imported", path)
		return
	}
	l.rep.errorf(at, "cannot read the file to include: %v", first)
}

// expandEnv puts the values of the environment in the place of $ENV(NAME). One that
// is not set is an error, unless it is in a comment, and the only one of its line:
// the others are consequences.
func expandEnv(s *source, rep *report) {
	const mark = "$ENV("
	if !bytes.Contains(s.file, []byte(mark)) {
		s.text = s.file
		return
	}
	var out []byte
	var unset []Pos
	var where blanker
	for i := 0; i < len(s.file); {
		if !hasPrefixAt(s.file, i, mark) {
			where.step(s.file, i)
			out = append(out, s.file[i])
			i++
			continue
		}
		if n := bytes.IndexByte(s.file[i:min(len(s.file), i+maxEnvName)], ')'); n > 0 {
			name := string(s.file[i+len(mark) : i+n])
			if value, ok := os.LookupEnv(name); ok {
				s.shifts = append(s.shifts, shift{at: len(out), n: len(value), from: i, m: n + 1})
				out = append(out, value...)
				i += n + 1
				continue
			}
		}
		if !where.comment() {
			rep.errorf(Pos{s, i}, "%s", missingEnv(s.file[i:]))
			unset = append(unset, Pos{s, i})
		}
		out = append(out, s.file[i])
		i++
	}
	s.text = out
	for _, p := range unset {
		rep.mute(p)
	}
}

// blanker follows where comments and strings are. The zero value is at the beginning
// of a file.
type blanker struct {
	quote byte // of the string; 0 outside
	line  bool // in a comment up to the line's end
	depth int  // of comments in /* */, which nest
	skip  bool // the next byte belongs to this one
}

func (w *blanker) comment() bool { return w.line || w.depth > 0 }

func (w *blanker) step(b []byte, i int) {
	c := b[i]
	switch {
	case w.skip:
		w.skip = false
	case w.line:
		w.line = c != '\n'
	case w.depth > 0 && hasPrefixAt(b, i, "*/"):
		w.depth--
		w.skip = true
	case w.quote == 0 && hasPrefixAt(b, i, "/*"):
		w.depth++
		w.skip = true
	case w.depth > 0:
	case w.quote != 0:
		w.skip = c == '\\' && w.quote == '"'
		if c == w.quote {
			w.quote = 0
		}
	case c == '"' || c == '\'':
		w.quote = c
	case c == '#' || hasPrefixAt(b, i, "//"):
		w.line = true
	}
}

// missingEnv gives the message for a $ENV(NAME) that could not be expanded.
func missingEnv(b []byte) string {
	n := bytes.IndexByte(b[:min(len(b), maxEnvName)], ')')
	if n < 0 {
		return "$ENV( has no closing bracket"
	}
	return fmt.Sprintf("the environment variable %s is not set", b[len("$ENV("):n])
}
