package script

import (
	"bytes"

	"sipreactor/sipframe"
)

// viaTransforms take the first value of a Via header apart.
func viaTransforms() map[string]*transformSpec {
	specs := map[string]*transformSpec{
		"via.param": withName(func(_ *Machine, b, arg []byte) Value {
			var via sipframe.Via
			if sipframe.ParseVia(b, &via) != nil {
				return null
			}
			return findParam(via.Params.In(b), arg)
		}),
	}
	host := func(b []byte, via *sipframe.Via) Value { return optional(via.Host.In(b)) }
	for name, pick := range map[string]func(b []byte, via *sipframe.Via) Value{
		"name":      func(b []byte, _ *sipframe.Via) Value { return viaProtocol(b, 0) },
		"version":   func(b []byte, _ *sipframe.Via) Value { return viaProtocol(b, 1) },
		"transport": func(b []byte, _ *sipframe.Via) Value { return viaProtocol(b, 2) },
		"host":      host,
		"domain":    host,
		"port": func(_ []byte, via *sipframe.Via) Value {
			if via.Port == 0 {
				return null
			}
			return Int(int64(via.Port))
		},
		"params":   func(b []byte, via *sipframe.Via) Value { return optional(via.Params.In(b)) },
		"comment":  func(b []byte, via *sipframe.Via) Value { return optional(viaComment(b)) },
		"branch":   viaParam("branch"),
		"received": viaParam("received"),
		"rport":    viaParam("rport"),
	} {
		specs["via."+name] = plain(func(_ *Machine, b []byte) Value {
			var via sipframe.Via
			if sipframe.ParseVia(b, &via) != nil {
				return null
			}
			return pick(b, &via)
		})
	}
	return specs
}

func viaParam(name string) func(b []byte, via *sipframe.Via) Value {
	key := []byte(name)
	return func(b []byte, via *sipframe.Via) Value { return findParam(via.Params.In(b), key) }
}

// viaProtocol gives a part of SIP/2.0/TLS, around whose slashes blanks may stand.
func viaProtocol(b []byte, part int) Value {
	for range part {
		_, rest, ok := bytes.Cut(b, []byte{'/'})
		if !ok {
			return null
		}
		b = rest
	}
	b = bytes.TrimLeft(b, blanks)
	if n := bytes.IndexAny(b, "/ \t\r\n"); n >= 0 {
		b = b[:n]
	}
	return optional(b)
}

// viaComment gives what stands in brackets at the end of a value, as RFC 2543 had it.
func viaComment(b []byte) []byte {
	open := bytes.IndexByte(b, '(')
	if open < 0 {
		return nil
	}
	shut := bytes.LastIndexByte(b, ')')
	if shut < open {
		return nil
	}
	return b[open+1 : shut]
}
