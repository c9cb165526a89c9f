package script

import (
	"bytes"

	"sipreactor/sipframe"
)

// listTransforms are those of the classes param and csv.
func listTransforms() map[string]*transformSpec {
	return map[string]*transformSpec{
		"param.value": withName(func(_ *Machine, b, arg []byte) Value { return findParam(b, arg) }),
		"param.exist": withName(func(_ *Machine, b, arg []byte) Value {
			return Int(int64(truth(findParam(b, arg).kind != nullValue)))
		}),
		"param.valueat": withNumber(func(_ *Machine, b []byte, n int) Value {
			p, ok := paramAt(b, n)
			if !ok {
				return null
			}
			return Text(unquoted(p.Value))
		}),
		"param.name": withNumber(func(_ *Machine, b []byte, n int) Value {
			p, ok := paramAt(b, n)
			if !ok {
				return null
			}
			return Text(p.Name)
		}),
		"param.count": plain(func(_ *Machine, b []byte) Value { return Int(int64(countParams(b))) }),

		"csv.count": plain(func(_ *Machine, b []byte) Value {
			n := 0
			for list := sipframe.SplitList(b); ; n++ {
				if _, ok := list.Next(); !ok {
					return Int(int64(n))
				}
			}
		}),
		"csv.value": withNumber(func(_ *Machine, b []byte, n int) Value {
			v, ok := listAt(b, n)
			if !ok {
				return null
			}
			return Text(bytes.TrimSpace(v))
		}),
	}
}

// paramAt gives the n-th parameter; a negative n counts from the last.
func paramAt(b []byte, n int) (sipframe.Param, bool) {
	if n < 0 {
		if n += countParams(b); n < 0 {
			return sipframe.Param{}, false
		}
	}
	for it := sipframe.Params(b); ; n-- {
		p, ok := it.Next()
		if !ok || n == 0 {
			return p, ok
		}
	}
}

func countParams(b []byte) (n int) {
	for it := sipframe.Params(b); ; n++ {
		if _, ok := it.Next(); !ok {
			return n
		}
	}
}
