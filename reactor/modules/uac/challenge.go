package uac

import (
	"slices"
	"strings"

	"sipreactor/reactor/digest"
	"sipreactor/reactor/modules/uac_auth"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// answer builds uac_auth().
func (m *module) answer(a *script.Args) script.Action {
	if m.auth == nil && !a.Loading().Partial() {
		a.Errorf(-1, `uac_auth() needs the module uac_auth: loadmodule "uac_auth.so"`)
		return nil
	}
	choice := uac_auth.Choice{}
	text, fixed := a.Fixed(0)
	given := a.Text(0)
	if fixed || !a.Given(0) {
		var err error
		if choice, err = uac_auth.ParseChoice(text); err != nil {
			a.Errorf(0, "%v", err)
			return nil
		}
		given = nil
	}
	at := a.Site()
	return func(x *script.Machine) int {
		choice := choice
		if given != nil {
			b, _ := given(x)
			var err error
			if choice, err = uac_auth.ParseChoice(string(b)); err != nil {
				return x.Fail(at, err.Error())
			}
		}
		return m.authenticate(x, at, choice)
	}
}

// asks returns how a response asks for credentials: its challenges, and in which header they are answered; none: it does
// not.
func asks(response *sipframe.Message) (challenges [][]byte, header string) {
	challenge := "WWW-Authenticate"
	switch response.StatusCode() {
	case 401:
		header = "Authorization"
	case 407:
		challenge, header = "Proxy-Authenticate", "Proxy-Authorization"
	default:
		return nil, ""
	}
	for i := range response.NumHeaders() {
		if h := response.Header(i); strings.EqualFold(string(response.Bytes(h.Name)), challenge) {
			challenges = append(challenges, response.Bytes(h.Value))
		}
	}
	return challenges, header
}

func (m *module) authenticate(x *script.Machine, at *script.Site, choice uac_auth.Choice) int {
	c := x.Context()
	leg := m.tm.Best(c)
	if leg == nil || leg.Response() == nil {
		return x.Fail(at, "the branch that failed has no response")
	}
	var response sipframe.Message
	if err := response.Parse(leg.Response()); err != nil {
		return x.Fail(at, err.Error())
	}
	challenges, header := asks(&response)
	if header == "" {
		return x.Fail(at, "the response is neither 401 nor 407")
	}
	uri := x.Keep(leg.Set.URI())
	if len(uri) == 0 {
		uri = x.Keep(c.RequestURI())
	}
	r := digest.Request{Method: x.MethodName(), URI: uri, Body: x.Message().Body(), Count: 1}
	value, which := uac_auth.Answer(challenges, m.auth.Credentials(x), choice, &r)
	if which < 0 {
		x.Say(at, script.LevelWarn, "uac_auth(): there is no credential for what is asked")
		return -1
	}
	var c1 digest.Challenge
	_ = digest.ParseChallenge(challenges[which], &c1) // it has been read before
	now := asked{header: header, realm: string(c1.Realm), challenge: slices.Clone(challenges[which]), count: 1}
	k := changesOf(c)
	if !k.note(now, c1.Stale) {
		x.Say(at, script.LevelWarn, "uac_auth(): the answer was refused")
		return -1
	}
	// the branch that failed is tried again, where it was sent to
	if err := c.SetRequestURI(uri); err != nil {
		return x.Fail(at, err.Error())
	}
	if d := leg.Set.DestURI(); len(d) > 0 {
		if err := c.SetDestURI(x.Keep(d)); err != nil {
			return x.Fail(at, err.Error())
		}
	}
	for i := range k.asked { // servers on the way that have asked before want their answer again
		o, answer := &k.asked[i], value
		if o.header != header || o.realm != now.realm {
			o.count++
			r.Count = o.count
			again, i := uac_auth.Answer([][]byte{o.challenge}, m.auth.Credentials(x), uac_auth.Choice{}, &r)
			if i < 0 {
				continue
			}
			answer = again
		}
		if err := m.attach(c, o.header, o.realm, answer); err != nil {
			return x.Fail(at, err.Error())
		}
	}
	return x.Reported(at, m.moveCSeq(c, 1))
}

// note notes who asks. It reports false where an answer of ours was refused: who asks once more does so with stale.
func (k *changes) note(now asked, stale bool) bool {
	i := slices.IndexFunc(k.asked, func(o asked) bool { return o.header == now.header && o.realm == now.realm })
	switch {
	case i < 0:
		k.asked = append(k.asked, now)
	case stale:
		k.asked[i] = now
	default:
		return false
	}
	return true
}

// sameRealm tells whether credentials are for a realm: another server's stay.
func sameRealm(credentials, realm []byte) bool {
	var c digest.Credentials
	return digest.ParseCredentials(credentials, &c) == nil && string(c.Realm) == string(realm)
}

// attach puts an answer into the request, in the place of the client's for the realm.
func (m *module) attach(c *proxy.Context, header, realm string, value []byte) error {
	c.RemoveHeaderFunc(func(h *sipframe.Header) bool {
		return strings.EqualFold(string(c.Msg.Bytes(h.Name)), header) && sameRealm(c.Msg.Bytes(h.Value), []byte(realm))
	})
	return c.AppendHeader([]byte(header + ": " + string(value) + "\r\n"))
}
