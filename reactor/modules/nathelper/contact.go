package nathelper

import (
	"bytes"
	"encoding/base64"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// fixContact builds fix_nated_contact(): every Contact names where the message came from. 1, or -1 without a Contact.
func (m *module) fixContact(a *script.Args) script.Action {
	params, flags, at := a.Text(0), a.Text(1), a.Site()
	if text, ok := a.Fixed(1); ok && text != "" && text != "preserve-uri" {
		a.Errorf(1, `unknown flag %q: preserve-uri`, text)
		return nil
	}
	return func(x *script.Machine) int {
		extra, _ := params(x)
		f, _ := flags(x)
		return rewriteContacts(x, at, extra, strings.Contains(string(f), "preserve-uri"))
	}
}

func rewriteContacts(x *script.Machine, at *script.Site, extra []byte, keep bool) int {
	msg, c := x.Message(), x.Context()
	if len(extra) > 0 && extra[0] != ';' {
		extra = append([]byte{';'}, extra...)
	}
	place := x.Keep(hostPort(x))
	done := -1
	it := msg.Values(sipframe.HeaderContact)
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		var addr sipframe.NameAddr
		var u sipframe.URI
		if msg.NameAddr(v, &addr) != nil || addr.Star {
			continue
		}
		uri := msg.Bytes(addr.URI)
		if sipframe.ParseURI(uri, &u) != nil {
			continue
		}
		old := u.HostPort.In(uri)
		text := append([]byte(nil), place...)
		if extra != nil && addr.Angle {
			text = append(text, extra...)
		}
		if keep {
			text = append(append(text, ";org="...), base64.RawURLEncoding.EncodeToString(old)...)
		}
		if err := c.Replace(sipframe.Span{Off: addr.URI.Off + u.HostPort.Off, Len: u.HostPort.Len}, text); err != nil {
			return x.Fail(at, err.Error())
		}
		done = 1
	}
	return done
}

// hostPort is where the message came from, as a URI has it.
func hostPort(x *script.Machine) []byte { return []byte(x.Context().Src.Remote.String()) }

// sourceURI is a URI of where the message came from.
func sourceURI(x *script.Machine) []byte {
	uri := append([]byte("sip:"), hostPort(x)...)
	if p := x.Context().Src.Proto.String(); p != "udp" {
		uri = append(append(uri, ";transport="...), p...)
	}
	return x.Keep(uri)
}

// fixRegister builds fix_nated_register(): received_avp gets where the message came from. Without it there is nothing to do.
func (m *module) fixRegister(a *script.Args) script.Action {
	at := a.Site()
	if m.received.Text == "" {
		a.Notef(-1, `fix_nated_register() does nothing without modparam("nathelper", "received_avp", "$avp(name)"): contacts are reached where they say, and not where they came from`)
		return func(*script.Machine) int { return -1 }
	}
	return func(x *script.Machine) int {
		if m.receivedAVP == nil {
			return x.Fail(at, "received_avp is wrong")
		}
		m.receivedAVP.Set(x, script.Text(sourceURI(x)))
		return 1
	}
}

// addReceived builds add_rcv_param(): each Contact tells where the message came from.
func (m *module) addReceived(a *script.Args) script.Action {
	inURI, at := a.Int(0), a.Site()
	return func(x *script.Machine) int {
		msg, c := x.Message(), x.Context()
		within, _ := inURI(x)
		text := append(append([]byte(`;received="`), sourceURI(x)...), '"')
		if within != 0 {
			text = append([]byte(";received="), escaped(sourceURI(x))...)
		}
		done := -1
		it := msg.Values(sipframe.HeaderContact)
		for v, ok := it.Next(); ok; v, ok = it.Next() {
			var addr sipframe.NameAddr
			if msg.NameAddr(v, &addr) != nil || addr.Star {
				continue
			}
			off := addr.URI.End()
			if within == 0 && addr.Angle {
				off++
			}
			if err := c.Replace(sipframe.Span{Off: off}, text); err != nil {
				return x.Fail(at, err.Error())
			}
			done = 1
		}
		return done
	}
}

// escaped is a URI as the value of a parameter of another.
func escaped(uri []byte) []byte {
	return []byte(strings.NewReplacer(";", "%3B", "=", "%3D", "?", "%3F", "@", "%40").Replace(string(uri)))
}

// restore builds restore_nated_ruri(): the host and port that fix_nated_contact() kept.
func (m *module) restore(a *script.Args) script.Action {
	at := a.Site()
	return func(x *script.Machine) int {
		c := x.Context()
		uri := c.RequestURI()
		var u sipframe.URI
		if sipframe.ParseURI(uri, &u) != nil {
			return -1
		}
		org, ok := u.Param(uri, "org")
		if !ok {
			return -1
		}
		place, err := base64.RawURLEncoding.DecodeString(string(bytes.TrimRight(org, "=")))
		if err != nil || bytes.ContainsAny(place, "\r\n \t<>\";?") || len(place) == 0 {
			return -1
		}
		if err := c.RemoveURIParam([]byte("org")); err != nil {
			return x.Fail(at, err.Error())
		}
		if err := c.SetDestURI(x.Keep(c.RequestURI())); err != nil {
			return x.Fail(at, err.Error())
		}
		return x.Reported(at, c.SetHostPort(place))
	}
}
