package script

import (
	"bytes"

	"sipreactor/sipframe/body"
)

// sdpTransforms are those of class sdp.
func sdpTransforms() map[string]*transformSpec {
	stream := func(f func(m *Machine, sdp []byte, meant func(stream []byte, i, of int) bool) Value) *transformSpec {
		return &transformSpec{min: 1, max: 1, build: func(k *compiler, t *varTransform) transformer {
			arg := k.name(t.Args[0])
			if arg == nil {
				return nil
			}
			return func(m *Machine, in Value) Value {
				which := bytes.TrimSpace(arg(m))
				n, isNumber := number64(which)
				return f(m, m.Text(in), func(stream []byte, i, of int) bool {
					if isNumber {
						return int64(i) == n || int64(i-of) == n
					}
					return bytes.Equal(body.Media(stream), which)
				})
			}
		}}
	}
	return map[string]*transformSpec{
		"sdp.line": {min: 1, max: 2, build: func(k *compiler, t *varTransform) transformer {
			typ := k.name(t.Args[0])
			n := func(*Machine) (int, bool) { return 0, true }
			if len(t.Args) > 1 {
				n = k.count(t.Args[1])
			}
			if typ == nil || n == nil {
				return nil
			}
			return func(m *Machine, in Value) Value {
				want := bytes.TrimSpace(typ(m))
				i, ok := n(m)
				if !ok || len(want) != 1 {
					return null
				}
				for rest := m.Text(in); len(rest) > 0; {
					var line []byte
					line, rest = body.Line(rest)
					if len(line) < 2 || line[0] != want[0] || line[1] != '=' {
						continue
					}
					if i == 0 {
						return Text(line)
					}
					i--
				}
				return null
			}
		}},
		"sdp.stream": stream(func(_ *Machine, sdp []byte, meant func([]byte, int, int) bool) Value {
			n := countStreams(sdp)
			i := 0
			for piece, rest := body.Streams(sdp); piece != nil; piece, rest = body.Next(rest) {
				if !body.IsStream(piece) {
					continue
				}
				if meant(piece, i, n) {
					return Text(piece)
				}
				i++
			}
			return null
		}),
		"sdp.stream-delete": stream(func(m *Machine, sdp []byte, meant func([]byte, int, int) bool) Value {
			n := countStreams(sdp)
			i, gone, from := 0, false, len(m.arena)
			for piece, rest := body.Streams(sdp); piece != nil; piece, rest = body.Next(rest) {
				if body.IsStream(piece) {
					i++
					if meant(piece, i-1, n) {
						gone = true
						continue
					}
				}
				m.arena = append(m.arena, piece...)
			}
			if !gone {
				return null
			}
			return Text(m.arena[from:len(m.arena):len(m.arena)])
		}),
	}
}

func countStreams(sdp []byte) (n int) {
	for piece, rest := body.Streams(sdp); piece != nil; piece, rest = body.Next(rest) {
		if body.IsStream(piece) {
			n++
		}
	}
	return n
}
