package registrar

import (
	"bytes"
	"fmt"

	"sipreactor/reactor/location"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

func (m *Core) natBit() uint32 {
	if n := m.places.NATFlag(); n >= 0 {
		return 1 << n
	}
	return 0
}

// receivedFrom tells where the REGISTER came from, if contacts are to be reached there.
func (m *Core) receivedFrom(x *script.Machine, f *SaveFlags, path []byte, u *location.Update) []byte {
	if f.pathReceived && len(path) > 0 {
		if v := pathReceived(x, path); len(v) > 0 {
			u.BranchFlags |= m.natBit()
			return v
		}
	}
	if m.received != nil {
		if v := m.received.Get(x, 0); !v.IsNull() {
			return x.Text(v)
		}
	}
	if src := x.Context().Src; src.Proto.Web() && len(path) == 0 && !severalHops(x.Message()) {
		// The name in the Contact leads nowhere (RFC 7118 5.2.4).
		return x.Keep(fmt.Appendf(nil, "sip:%v;transport=%v", src.Remote, src.Proto))
	}
	return nil
}

// pathReceived returns the parameter received of the first URI of a Path, unescaped.
func pathReceived(x *script.Machine, path []byte) []byte {
	open, end := bytes.IndexByte(path, '<'), bytes.IndexByte(path, '>')
	if open < 0 || end < open {
		return nil
	}
	uri := path[open+1 : end]
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return nil
	}
	v, _ := u.Param(uri, "received")
	v = x.Keep(sipframe.UnescapeURI(nil, v))
	if sipframe.ParseURI(v, &u) != nil {
		return nil
	}
	return v
}

// readPath reads the Path headers as the flags want them: the values joined by commas, up to max_path_len.
func (m *Core) readPath(r *Registration, msg *sipframe.Message, f *SaveFlags) ([]byte, *Refusal) {
	if f.path == pathIgnored || f.path == pathOff || msg.Find(sipframe.HeaderPath) < 0 {
		return nil, nil
	}
	if f.path == pathStrict && !supports(msg, sipframe.HeaderSupported, "path") {
		return nil, noPath
	}
	it := msg.Values(sipframe.HeaderPath)
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		if len(r.path) > 0 {
			r.path = append(r.path, ", "...)
		}
		r.path = append(r.path, msg.Bytes(v)...)
		if int64(len(r.path)) > m.maxPath {
			return nil, longPath
		}
	}
	return r.path, nil
}

// severalHops reports whether the request passed others on its way.
func severalHops(msg *sipframe.Message) bool {
	it := msg.Values(sipframe.HeaderVia)
	it.Next()
	_, more := it.Next()
	return more
}
