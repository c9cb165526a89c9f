package peek

import (
	"bytes"

	"sipreactor/sipframe"
)

// These are no literals where they are searched for: with bytes.Index inlined
// there, which a profile can bring about, those would be allocated a message.
var (
	callIDLine = []byte("\nCall-ID:")
	toLine     = []byte("\nTo:")
	viaLine    = []byte("\nVia:")
)

// CallID finds the Call-ID's value without parsing the message. What it does
// not find is empty: those share a shard.
func CallID(data []byte) []byte { return headerLine(data, callIDLine, "call-id", 'i') }

// headerLine finds the first line of a header's value without parsing the
// message: as it is usually written, or by its long name in any case or its
// short one, which is in lower case.
func headerLine(data, usual []byte, long string, short byte) []byte {
	if i := bytes.Index(data, usual); i >= 0 {
		return line(data[i+len(usual):])
	}
	for {
		i := bytes.IndexByte(data, '\n')
		if i < 0 || i+2 >= len(data) {
			return nil
		}
		data = data[i+1:]
		var name int
		switch {
		case len(data) > len(long) && sipframe.EqualFold(data[:len(long)], long):
			name = len(long)
		case data[0]|0x20 == short:
			name = 1
		case data[0] == '\r' || data[0] == '\n':
			return nil
		default:
			continue
		}
		rest := bytes.TrimLeft(data[name:], " \t")
		if len(rest) > 0 && rest[0] == ':' {
			return line(rest[1:])
		}
	}
}

// Branch finds the branch of the topmost Via without parsing the message. What it
// does not find is empty.
func Branch(data []byte) []byte {
	via := headerLine(data, viaLine, "via", 'v')
	if i := bytes.IndexByte(via, ','); i >= 0 {
		via = via[:i]
	}
	for {
		i := bytes.IndexByte(via, ';')
		if i < 0 {
			return nil
		}
		via = bytes.TrimLeft(via[i+1:], " \t")
		const n = len("branch")
		if len(via) <= n || !sipframe.EqualFold(via[:n], "branch") {
			continue
		}
		value := bytes.TrimLeft(via[n:], " \t")
		if len(value) == 0 || value[0] != '=' {
			continue
		}
		value = bytes.TrimLeft(value[1:], " \t")
		if end := bytes.IndexAny(value, "; \t"); end >= 0 {
			value = value[:end]
		}
		return value
	}
}

// line is the trimmed rest of a line.
func line(b []byte) []byte {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[:i]
	}
	return bytes.TrimSpace(b)
}
