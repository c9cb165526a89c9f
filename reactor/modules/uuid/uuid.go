// Package uuid is OpenSIPS' module uuid: universally unique identifiers (RFC 9562).
package uuid

import (
	"github.com/google/uuid"

	"sipreactor/reactor/script"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	return &script.Module{
		Name: "uuid", Help: "Universally unique identifiers.",
		Variables: []script.Variable{{Name: "uuid", Help: "A new UUID of version 4, each time.", Get: script.Simple(func(x *script.Machine) script.Value {
			return script.Text(x.KeepString(uuid.NewString()))
		})}},
		Functions: []script.Function{{
			Name: "uuid", Usage: "uuid($var(out)[, version])", Help: "Makes a UUID: by chance (version 4, also 0), or of the time and a hardware address (1), which tells when and where it was made.",
			Args: []script.ArgKind{script.SetArg, script.IntArg}, Min: 1, Routes: script.Anywhere, Build: build,
		}},
	}
}

func build(a *script.Args) script.Action {
	set, version, at, given := a.Setter(0), a.Int(1), a.Site(), a.Given(1)
	return func(x *script.Machine) int {
		n := int64(4)
		if given {
			var ok bool
			if n, ok = version(x); !ok {
				return x.Fail(at, "a version is 0, 1 or 4")
			}
		}
		var id uuid.UUID
		var err error
		switch n {
		case 0, 4:
			id, err = uuid.NewRandom()
		case 1:
			id, err = uuid.NewUUID()
		default:
			return x.Fail(at, "a version is 0, 1 or 4")
		}
		if err != nil {
			return x.Fail(at, err.Error())
		}
		set(x, script.Text(x.KeepString(id.String())))
		return 1
	}
}
