package script

import (
	"crypto/md5" //nolint:gosec // a checksum that scripts ask for by name
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"time"
)

// codingTransforms are those of class s that encode and decode.
func codingTransforms() map[string]*transformSpec {
	return map[string]*transformSpec{
		"s.md5": plain(func(m *Machine, b []byte) Value {
			sum := md5.Sum(b)
			from := len(m.arena)
			m.arena = hex.AppendEncode(m.arena, sum[:])
			return Text(m.arena[from:len(m.arena):len(m.arena)])
		}),
		"s.encode.hexa": plain(func(m *Machine, b []byte) Value {
			from := len(m.arena)
			m.arena = hex.AppendEncode(m.arena, b)
			return Text(m.arena[from:len(m.arena):len(m.arena)])
		}),
		"s.decode.hexa": plain(func(m *Machine, b []byte) Value {
			from := len(m.arena)
			out, err := hex.AppendDecode(m.arena, b)
			if err != nil {
				return null
			}
			m.arena = out
			return Text(out[from:len(out):len(out)])
		}),
		"s.b64encode": plain(func(m *Machine, b []byte) Value {
			from := len(m.arena)
			m.arena = base64.StdEncoding.AppendEncode(m.arena, b)
			return Text(m.arena[from:len(m.arena):len(m.arena)])
		}),
		"s.b64decode": plain(func(m *Machine, b []byte) Value {
			from := len(m.arena)
			out, err := base64.StdEncoding.AppendDecode(m.arena, b)
			if err != nil {
				return null
			}
			m.arena = out
			return Text(out[from:len(out):len(out)])
		}),
		"s.dec2hex": plain(func(m *Machine, b []byte) Value {
			n, ok := number64(b)
			if !ok {
				return null
			}
			from := len(m.arena)
			m.arena = strconv.AppendInt(m.arena, n, 16)
			return Text(m.arena[from:len(m.arena):len(m.arena)])
		}),
		"s.hex2dec": plain(func(_ *Machine, b []byte) Value {
			if len(b) > 2 && b[0] == '0' && lower(b[1]) == 'x' {
				b = b[2:]
			}
			var n int64
			for _, c := range b {
				if !isHex(c) || n > 1<<58 {
					return null
				}
				n = n<<4 | int64(unhex(c))
			}
			if len(b) == 0 {
				return null
			}
			return Int(n)
		}),
		"s.xor": withName(func(m *Machine, b, key []byte) Value {
			if len(key) == 0 {
				return null
			}
			out := m.Keep(b)
			for i := range out {
				out[i] ^= key[i%len(key)]
			}
			return Text(out)
		}),
		"s.escape.common": plain(func(m *Machine, b []byte) Value {
			return m.escaped(b, '\\', func(c byte) bool { return c == '\'' || c == '"' || c == '\\' || c == 0 })
		}),
		"s.unescape.common": plain(func(m *Machine, b []byte) Value { return m.unescapedCommon(b) }),
		"s.escape.user": plain(func(m *Machine, b []byte) Value {
			return m.escaped(b, '%', func(c byte) bool { return !isUserByte(c) })
		}),
		"s.unescape.user": plain(func(m *Machine, b []byte) Value { return m.unescaped(b) }),
		"s.escape.param": plain(func(m *Machine, b []byte) Value {
			return m.escaped(b, '%', func(c byte) bool { return !isParamByte(c) })
		}),
		"s.unescape.param": plain(func(m *Machine, b []byte) Value { return m.unescaped(b) }),
		"rest.escape": plain(func(m *Machine, b []byte) Value {
			return m.escaped(b, '%', func(c byte) bool { return !isLetter(c) && !isDigit(c) && c != '-' && c != '.' && c != '_' && c != '~' })
		}),
		"rest.unescape": plain(func(m *Machine, b []byte) Value { return m.unescaped(b) }),
		"s.date2unix": plain(func(_ *Machine, b []byte) Value {
			t, err := time.Parse(time.RFC1123, string(b))
			if err != nil {
				return null
			}
			return Int(t.Unix())
		}),
	}
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

const hexDigits = "0123456789ABCDEF"

// escaped puts a mark before the bytes that need it: a backslash, or % and the
// byte in hexadecimal.
func (m *Machine) escaped(b []byte, mark byte, needs func(byte) bool) Value {
	from := len(m.arena)
	for _, c := range b {
		switch {
		case !needs(c):
			m.arena = append(m.arena, c)
		case mark == '%':
			m.arena = append(m.arena, '%', hexDigits[c>>4], hexDigits[c&15])
		case c == 0:
			m.arena = append(m.arena, '\\', '0')
		default:
			m.arena = append(m.arena, mark, c)
		}
	}
	return Text(m.arena[from:len(m.arena):len(m.arena)])
}

func (m *Machine) unescapedCommon(b []byte) Value {
	from := len(m.arena)
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '\\' && i+1 < len(b) {
			i++
			if c = b[i]; c == '0' {
				c = 0
			}
		}
		m.arena = append(m.arena, c)
	}
	return Text(m.arena[from:len(m.arena):len(m.arena)])
}

// unescaped turns %xx into bytes. Null if a % is followed by anything else, or
// a byte would be a control character.
func (m *Machine) unescaped(b []byte) Value {
	from := len(m.arena)
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '%' {
			if i+2 >= len(b) || !isHex(b[i+1]) || !isHex(b[i+2]) {
				return null
			}
			c = unhex(b[i+1])<<4 | unhex(b[i+2])
			if c < ' ' || c == 0x7f {
				return null
			}
			i += 2
		}
		m.arena = append(m.arena, c)
	}
	return Text(m.arena[from:len(m.arena):len(m.arena)])
}

// isUserByte tells what stands in the user part of a URI as it is: unreserved
// and user-unreserved of RFC 3261 25.1.
func isUserByte(c byte) bool {
	return isMark(c) || c == '&' || c == '=' || c == '+' || c == '$' || c == ',' || c == ';' || c == '?' || c == '/'
}

// isParamByte tells what stands in a URI parameter as it is: unreserved and
// param-unreserved.
func isParamByte(c byte) bool {
	return isMark(c) || c == '[' || c == ']' || c == '/' || c == ':' || c == '&' || c == '+' || c == '$'
}

func isMark(c byte) bool {
	return isWordByte(c) || c == '-' || c == '.' || c == '!' || c == '~' || c == '*' || c == '\'' || c == '(' || c == ')'
}
