package sipmsgops

import (
	"bytes"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

func hasBody(a *script.Args) script.Action {
	mime, given := a.Text(0), a.Given(0)
	return func(m *script.Machine) int {
		if !m.Context().HasBody() || !given {
			return script.Yes(m.Context().HasBody())
		}
		want, ok := mime(m)
		typ, _, _ := bytes.Cut(m.Message().Value(sipframe.HeaderContentType), []byte{';'})
		return script.Yes(ok && sipframe.EqualFoldBytes(bytes.TrimSpace(typ), want))
	}
}

func isPresent(a *script.Args) script.Action {
	name := a.Text(0)
	return func(m *script.Machine) int {
		n, ok := name(m)
		return script.Yes(ok && m.Message().FindName(n) >= 0)
	}
}

// isMethod builds is_method(), for constant names without looking at text.
func isMethod(a *script.Args) script.Action {
	constant, fixed := a.Fixed(0)
	if !fixed {
		names := a.Text(0)
		return func(m *script.Machine) int {
			list, ok := names(m)
			for ok && len(list) > 0 {
				var one []byte
				one, list, _ = bytes.Cut(list, []byte{'|'})
				if bytes.Equal(bytes.TrimSpace(one), m.MethodName()) {
					return 1
				}
			}
			return -1
		}
	}
	var known uint64
	var others []string
	for name := range strings.SplitSeq(constant, "|") {
		name = strings.TrimSpace(name)
		if !sipframe.IsToken([]byte(name)) {
			a.Errorf(0, "%q is no method: methods are joined by |", name)
			return nil
		}
		if upper := strings.ToUpper(name); sipframe.MethodOf([]byte(upper)) != sipframe.OtherMethod {
			name = upper
		}
		if method := sipframe.MethodOf([]byte(name)); method != sipframe.OtherMethod {
			known |= 1 << method
		} else {
			others = append(others, name)
		}
	}
	return func(m *script.Machine) int {
		method := m.Method()
		if method != sipframe.OtherMethod {
			return script.Yes(known&(1<<method) != 0)
		}
		for _, o := range others {
			if string(m.MethodName()) == o {
				return 1
			}
		}
		return -1
	}
}
