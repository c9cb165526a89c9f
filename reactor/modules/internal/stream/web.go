package stream

import (
	"errors"
	"path"
	"strings"

	"sipreactor/reactor"
	"sipreactor/reactor/script"
)

// WebParameters are those that proto_ws and proto_wss share besides: their names begin
// with a prefix but for those of Origin.
func WebParameters(prefix string, s *reactor.StreamConfig) []script.Parameter {
	w := &s.Web
	w.RequireOrigin = true // closed, as there
	return []script.Parameter{
		{Name: prefix + "resource", Type: script.StringParam, Default: "/", Help: "What a connection of ours asks the server for.", Set: resource(&w.Resource)},
		{Name: prefix + "handshake_timeout", Type: script.IntParam, Min: 1, Max: 60000, Default: "100", Unit: "milliseconds", Help: "How long a server may take over a handshake that we have begun.", Set: script.Milliseconds(&s.HandshakeTimeout)},
		{Name: prefix + "async_handshake_timeout", Type: script.IntParam, Max: 60000, Default: "10", Unit: "milliseconds", Help: "How long the message itself waits for a handshake of ours before it is parked.", Set: script.Milliseconds(&s.LocalHandshakeTimeout)},
		{Name: prefix + "accept_timeout", Type: script.IntParam, Min: 1, Max: 60000, Default: "5000", Unit: "milliseconds", Help: "How long a client may take over its whole handshake, TLS included.", Set: script.Milliseconds(&w.AcceptTimeout)},
		{Name: "require_origin", Type: script.BoolParam, Default: "1", Help: "Refuses clients that send no Origin: whoever is no browser need not.", Set: script.Into(&w.RequireOrigin)},
		{Name: "allowed_origins", Type: script.StringParam, Default: "all", Help: "The pages whose programs may connect: a comma list of origins, with the patterns of a shell (https://*.example.com).", Set: origins(&w.Origins)},
	}
}

// resource makes a Set of the path that a client asks for (RFC 6455 3).
func resource(to *string) func(script.Literal) error {
	return func(v script.Literal) error {
		if !strings.HasPrefix(v.Text, "/") || strings.ContainsFunc(v.Text, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }) {
			return errors.New("is a path that begins with /, such as /ws")
		}
		*to = v.Text
		return nil
	}
}

// origins makes a Set of a list of origins, each scheme://host[:port].
func origins(to *[]string) func(script.Literal) error {
	return func(v script.Literal) error {
		for one := range strings.SplitSeq(v.Text, ",") {
			one = strings.ToLower(strings.TrimSpace(one))
			_, host, ok := strings.Cut(one, "://")
			if _, err := path.Match(one, ""); !ok || host == "" || strings.Contains(host, "/") || err != nil {
				return errors.New("is a comma list of origins, such as https://phone.example.com; " + script.Clip(one) + " is none")
			}
			*to = append(*to, one)
		}
		return nil
	}
}
