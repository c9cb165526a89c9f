package auth

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"sipreactor/reactor/digest"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

func (m *Module) functions() []script.Function {
	const text = script.TextArg
	requests, failed := script.Routes(script.RequestRoute), script.Routes(script.FailureRoute)
	kinds := func(k ...script.ArgKind) []script.ArgKind { return k }
	return []script.Function{
		{Name: "www_challenge", Usage: `www_challenge("realm"[, "qop"[, "algorithms"]])`, Min: 1, Help: "Answers 401 with challenges.",
			Args: kinds(text, text, text), Routes: requests, Reach: failed, Build: func(a *script.Args) script.Action { return m.challenge(a, WWW) }},
		{Name: "proxy_challenge", Usage: `proxy_challenge("realm"[, "qop"[, "algorithms"]])`, Min: 1, Help: "Answers 407 with challenges.",
			Args: kinds(text, text, text), Routes: requests, Reach: failed, Build: func(a *script.Args) script.Action { return m.challenge(a, Proxy) }},
		{Name: "pv_www_authorize", Usage: `pv_www_authorize("realm")`, Min: 1, Help: "Checks credentials against username_spec and password_spec.",
			Args: kinds(text), Routes: requests, Reach: failed, Build: func(a *script.Args) script.Action { return m.byVariables(a, WWW) }},
		{Name: "pv_proxy_authorize", Usage: `pv_proxy_authorize("realm")`, Min: 1, Help: "Checks credentials against username_spec and password_spec.",
			Args: kinds(text), Routes: requests, Reach: failed, Build: func(a *script.Args) script.Action { return m.byVariables(a, Proxy) }},
		{Name: "consume_credentials", Usage: "consume_credentials()", Help: "Removes the credentials that are for us.",
			Routes: requests, Reach: script.Requests, Build: m.consume},
		{Name: "is_rpid_user_e164", Usage: "is_rpid_user_e164()", Help: "Reports whether the user of rpid_avp is a number: + and up to 15 digits.",
			Routes: requests, Reach: script.Requests, Build: m.isNumber},
		{Name: "append_rpid_hf", Usage: `append_rpid_hf(["prefix", "suffix"])`, Help: "Adds Remote-Party-ID with the URI of rpid_avp.",
			Args: kinds(text, text), Routes: script.Routes(script.RequestRoute, script.FailureRoute, script.BranchRoute), Build: m.appendRPID},
	}
}

// challenge builds www_challenge() and proxy_challenge(): 1, or -1 if the response cannot be sent.
func (m *Module) challenge(a *script.Args, kind Kind) script.Action {
	realm, qop, algorithms, at := a.Text(0), a.Text(1), a.Text(2), a.Site()
	if text, ok := a.Fixed(1); ok {
		if text == "0" || text == "1" {
			a.Notef(1, `the qop is "" or "auth" since OpenSIPS 3, not %s`, text)
		}
		if _, ok := parseQOP(text); !ok {
			a.Errorf(1, `qop is "auth", "auth-int" or "auth,auth-int", not %q`, text)
			return nil
		}
	}
	if text, ok := a.Fixed(2); ok {
		list, ok := parseOffers(text)
		if !ok {
			a.Errorf(2, `an algorithm is MD5, SHA-256 or SHA-512-256, or one of these with -sess, not %q`, text)
			return nil
		}
		if q, fixed := a.Fixed(1); (fixed || !a.Given(1)) && wantsQOP(list) && !hasQOP(q) {
			a.Errorf(2, `an algorithm with -sess wants a qop, which is ""`)
			return nil
		}
	}
	return func(x *script.Machine) int {
		name, _ := realm(x)
		q, _ := qop(x)
		list, _ := algorithms(x)
		quality, ok := parseQOP(string(q))
		offers, too := parseOffers(string(list))
		if !ok || !too || quality == digest.NoQOP && wantsQOP(offers) {
			return x.Fail(at, "the qop or the algorithms are wrong")
		}
		name = m.realm(x, kind, name)
		stale := m.isStale(x, kind, name)
		for _, o := range offers {
			h := append([]byte(nil), kind.challengeHeader()...)
			nonce := m.nonces.AppendTo(nil, x.Context().Src.Remote.Addr(), quoted(name), o.Algorithm, quality)
			h = digest.AppendChallenge(h, name, nonce, nil, o, quality, stale)
			if err := x.Context().AppendToResponse(append(h, "\r\n"...)); err != nil {
				return x.Fail(at, err.Error())
			}
		}
		return x.Reported(at, m.signaling.Respond(x, kind.code(), nil))
	}
}

// quoted is a realm as it stands between quotes, which is what comes back.
func quoted(realm []byte) []byte {
	if !bytes.ContainsAny(realm, `"\`) {
		return realm
	}
	return []byte(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(string(realm)))
}

func parseQOP(text string) (q digest.QOP, ok bool) {
	for w := range strings.SplitSeq(text, ",") {
		switch strings.TrimSpace(strings.ToLower(w)) {
		case "", "0": // 0 and 1 are of OpenSIPS 2
		case "auth", "1":
			q |= digest.Auth
		case "auth-int":
			q |= digest.AuthInt
		default:
			return 0, false
		}
	}
	return q, true
}

// wantsQOP reports whether one of the offers is of no use without a quality, which the client's nonce comes with.
func wantsQOP(list []digest.Offer) bool {
	return slices.ContainsFunc(list, func(o digest.Offer) bool { return o.Session })
}

// hasQOP reports whether a qop names one.
func hasQOP(text string) bool {
	q, _ := parseQOP(text)
	return q != digest.NoQOP
}

// parseOffers reads a list of algorithms and orders it, the strongest first (RFC 8760 2.3).
func parseOffers(text string) (list []digest.Offer, ok bool) {
	for w := range strings.SplitSeq(text, ",") {
		if w = strings.TrimSpace(w); w == "" {
			continue
		}
		o, known := digest.ParseOffer(w)
		if !known {
			return nil, false
		}
		if !slices.Contains(list, o) {
			list = append(list, o)
		}
	}
	if list == nil {
		list = []digest.Offer{{}}
	}
	slices.SortFunc(list, func(a, b digest.Offer) int {
		switch {
		case a.Algorithm != b.Algorithm:
			return cmp.Compare(b.Algorithm, a.Algorithm)
		case a.Session:
			return -1
		}
		return 1
	})
	return list, true
}

// isStale reports whether the request has credentials for the realm whose nonce was one of ours and is no longer good.
func (m *Module) isStale(x *script.Machine, kind Kind, realm []byte) bool {
	msg := x.Message()
	var c digest.Credentials
	for i := msg.Find(kind.header()); i >= 0; i = msg.FindNext(kind.header(), i) {
		if digest.ParseCredentials(msg.Bytes(msg.Header(i).Value), &c) == nil && bytes.Equal(c.Realm, quoted(realm)) &&
			m.nonces.Check(&c) == digest.Stale {
			return true
		}
	}
	return false
}

// consume builds consume_credentials(): always 1.
func (m *Module) consume(a *script.Args) script.Action {
	at := a.Site()
	return func(x *script.Machine) int {
		msg := x.Message()
		for _, kind := range []Kind{WWW, Proxy} {
			for i := msg.Find(kind.header()); i >= 0; i = msg.FindNext(kind.header(), i) {
				var c digest.Credentials
				h := msg.Header(i)
				if digest.ParseCredentials(msg.Bytes(h.Value), &c) != nil || m.nonces.Check(&c) == digest.Foreign {
					continue
				}
				if err := x.Context().Replace(h.Line, nil); err != nil {
					x.Fail(at, err.Error())
				}
			}
		}
		return 1
	}
}

// byVariables builds pv_www_authorize() and pv_proxy_authorize().
func (m *Module) byVariables(a *script.Args, kind Kind) script.Action {
	realm, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		if m.user == nil || m.pass == nil {
			return x.Fail(at, "it needs the parameters username_spec and password_spec")
		}
		name, _ := realm(x)
		return m.Authorize(x, at, kind, name, func(c *digest.Credentials) (ha1 []byte, found bool, err error) {
			user, pass := m.user(x), m.pass(x)
			if user.IsNull() || pass.IsNull() || !bytes.Equal(x.Text(user), c.User) {
				return nil, false, nil
			}
			if m.calculate {
				return digest.AppendHA1(nil, c.Algorithm, c.User, c.Realm, x.Text(pass)), true, nil
			}
			return x.Text(pass), true, nil
		})
	}
}

// rpidURI returns what rpid_avp has.
func (m *Module) rpidURI(x *script.Machine) []byte {
	if m.rpid == nil {
		return nil
	}
	v := m.rpid.Get(x, 0)
	if v.IsNull() {
		return nil
	}
	return x.Text(v)
}

func (m *Module) isNumber(*script.Args) script.Action {
	return func(x *script.Machine) int {
		uri := m.rpidURI(x)
		if i := bytes.IndexByte(uri, '<'); i >= 0 {
			uri, _, _ = bytes.Cut(uri[i+1:], []byte{'>'})
		}
		var u sipframe.URI
		if sipframe.ParseURI(uri, &u) != nil {
			return -1
		}
		user := u.User.In(uri)
		if len(user) < 2 || len(user) > 16 || user[0] != '+' {
			return -1
		}
		for _, c := range user[1:] {
			if c < '0' || c > '9' {
				return -1
			}
		}
		return 1
	}
}

func (m *Module) appendRPID(a *script.Args) script.Action {
	prefix, suffix, at := a.Text(0), a.Text(1), a.Site()
	given := a.Given(0)
	return func(x *script.Machine) int {
		uri := m.rpidURI(x)
		if len(uri) == 0 {
			return -1
		}
		line := []byte("Remote-Party-ID: ")
		if given {
			p, _ := prefix(x)
			s, _ := suffix(x)
			line = append(append(append(line, p...), uri...), s...)
		} else {
			line = append(append(append(line, m.rpidPrefix...), uri...), m.rpidSuffix...)
		}
		return x.Reported(at, x.Context().AppendHeader(append(line, "\r\n"...)))
	}
}
