package stir_shaken

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// attests are the words for how well a caller is known.
var attests = map[string]string{"A": "A", "full": "A", "B": "B", "partial": "B", "C": "C", "gateway": "C"}

// auth builds stir_shaken_auth().
func (m *module) auth(a *script.Args) script.Action {
	at := a.Site()
	var text [7]func(*script.Machine) ([]byte, bool)
	for i := range text {
		text[i] = a.Text(i)
	}
	var out script.Setter
	if a.Given(7) {
		out = a.Setter(7)
	}
	if word, ok := a.Fixed(0); ok && attests[word] == "" {
		a.Errorf(0, "%q is no level: A (full), B (partial) or C (gateway)", script.Clip(word))
		return nil
	}
	origGiven, destGiven := a.Given(5), a.Given(6)
	return func(x *script.Machine) int {
		get := func(i int) string { b, _ := text[i](x); return string(b) }
		msg, c := x.Message(), x.Context()
		if msg.Find(sipframe.HeaderIdentity) >= 0 {
			return -2
		}
		from, ok := m.number(origGiven, get(5), caller(msg))
		to, ok2 := m.number(destGiven, get(6), callee(msg))
		if !ok || !ok2 {
			return -3
		}
		now := x.Now()
		date, there, readable := dateOf(msg)
		switch {
		case !there:
			date = now
		case !readable || now.Sub(date) > time.Duration(m.authFresh)*time.Second:
			return -4
		}
		chain, err := certificates([]byte(get(2)))
		if err != nil {
			return x.Fail(at, err.Error())
		}
		if !within(chain[0], now) || !within(chain[0], date) {
			return -5
		}
		key, err := keyOf([]byte(get(3)), chain[0])
		if err != nil {
			return x.Fail(at, err.Error())
		}
		attest := attests[get(0)]
		if attest == "" {
			return x.Fail(at, "the level is A, B or C")
		}
		line, err := sign(&header{Alg: alg, PPT: ppt, Typ: "passport", X5U: get(4)},
			&claims{Attest: attest, Dest: dest{[]string{to}}, IAT: date.Unix(), Orig: orig{from}, OrigID: get(1)}, key)
		if err != nil {
			return x.Fail(at, err.Error())
		}
		if !there {
			if err := c.AppendHeader(fmt.Appendf(nil, "Date: %s\r\n", date.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))); err != nil {
				return x.Fail(at, err.Error())
			}
		}
		if out != nil {
			return out(x, script.Text(x.KeepString(strings.TrimSuffix(string(line), "\r\n"))))
		}
		return x.Reported(at, c.AppendHeader(line))
	}
}

// refusals are what to answer, by the code of stir_shaken_verify() (RFC 8224 section 6.2.2).
var refusals = map[int]struct {
	code   int64
	reason string
}{
	-2: {428, "Use Identity Header"}, -3: {500, "Internal Server Error"}, -4: {438, "Invalid Identity Header"},
	-5: {438, "Invalid Identity Header"}, -6: {403, "Stale Date"}, -7: {403, "Stale Date"}, -8: {437, "Unsupported Credential"}, -9: {438, "Invalid Identity Header"},
}

// verify builds stir_shaken_verify().
func (m *module) verify(a *script.Args) script.Action {
	cert, code, reason, from, to := a.Text(0), a.Setter(1), a.Setter(2), a.Text(3), a.Text(4)
	fromGiven, toGiven := a.Given(3), a.Given(4)
	if !m.trust.named() {
		a.Notef(-1, `stir_shaken_verify() trusts nobody without modparam("stir_shaken", "ca_list", "file") or ca_dir`)
	}
	return func(x *script.Machine) int {
		pem, _ := cert(x)
		f, _ := from(x)
		t, _ := to(x)
		rc := m.verdict(x.Message(), pem, x.Now(), func() (string, string, bool) {
			orig, ok := m.number(fromGiven, string(f), caller(x.Message()))
			dest, ok2 := m.number(toGiven, string(t), callee(x.Message()))
			return orig, dest, ok && ok2
		})
		if rc < 0 {
			r := refusals[rc]
			code(x, script.Int(r.code))
			reason(x, script.Text([]byte(r.reason)))
		}
		return rc
	}
}

// verdict is the code of stir_shaken_verify().
func (m *module) verdict(msg *sipframe.Message, pem []byte, now time.Time, numbers func() (orig, dest string, ok bool)) int {
	value, ok := identityOf(msg)
	date, there, readable := dateOf(msg)
	if !ok || !there && m.needDate || there && !readable {
		return -2
	}
	from, to, ok := numbers()
	if !ok {
		return -3
	}
	p, err := parse(value)
	switch {
	case err == errUnsupported:
		return -5
	case err != nil:
		return -4
	}
	iat := time.Unix(p.claims.IAT, 0)
	if !there {
		date = iat
	}
	if !m.fresh(date, now) {
		return -6
	}
	chain, err := certificates(pem)
	if err != nil {
		return -8
	}
	if !within(chain[0], date) {
		return -7
	}
	key, err := m.trust.verify(chain, now)
	if err != nil {
		return -8
	}
	if !m.fresh(iat, now) || p.claims.Orig.TN != from || !slices.Contains(p.claims.Dest.TN, to) || !p.verifies(key) {
		return -9
	}
	return 1
}

func (m *module) fresh(t, now time.Time) bool {
	return now.Sub(t).Abs() <= time.Duration(m.verifyFresh)*time.Second
}

// caller returns who calls: P-Asserted-Identity, or From.
func caller(msg *sipframe.Message) []byte {
	it := msg.Values(sipframe.HeaderPAssertedIdentity)
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		var a sipframe.NameAddr
		if msg.NameAddr(v, &a) == nil {
			return msg.Bytes(a.URI)
		}
	}
	if a, err := msg.From(); err == nil {
		return msg.Bytes(a.URI)
	}
	return nil
}

// callee returns who is called: To.
func callee(msg *sipframe.Message) []byte {
	if a, err := msg.To(); err == nil {
		return msg.Bytes(a.URI)
	}
	return nil
}

// number returns a telephone number as a PASSporT has it, without +: one that is given, or that of a URI.
func (m *module) number(given bool, text string, uri []byte) (string, bool) {
	if !given {
		var phone bool
		if text, phone = userOf(uri); m.strict && !phone {
			return "", false
		}
	}
	digits, plus := strings.CutPrefix(text, "+")
	if m.strict && !plus || digits == "" || int64(len(digits)) > m.digits || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	return digits, true
}

// userOf returns the number that a URI has, without visual separators, and whether the URI says that it is one.
func userOf(uri []byte) (user string, phone bool) {
	if len(uri) > 4 && sipframe.EqualFold(uri[:4], "tel:") {
		user, phone = string(uri[4:]), true
	} else {
		var u sipframe.URI
		if sipframe.ParseURI(uri, &u) != nil {
			return "", false
		}
		v, _ := u.Param(uri, "user")
		user, phone = string(u.User.In(uri)), sipframe.EqualFold(v, "phone")
	}
	user, _, _ = strings.Cut(user, ";")
	return strings.NewReplacer("-", "", ".", "", "(", "", ")", "").Replace(user), phone
}
