package stir_shaken

import (
	"time"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// module is stir_shaken of one configuration.
type module struct {
	authFresh, verifyFresh int64 // seconds
	strict                 bool
	digits                 int64
	needDate               bool
	trust                  trust
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{authFresh: 60, verifyFresh: 60, digits: 15, needDate: true}
	number := func(name, help, unit, otherwise string, into *int64) script.Parameter {
		return script.Parameter{Name: name, Type: script.IntParam, Min: 1, Max: 86400, Unit: unit, Default: otherwise, Help: help, Set: script.Into(into)}
	}
	return &script.Module{
		Name: "stir_shaken", Help: "Signs who calls and verifies such signatures: the Identity header (RFC 8224).", Instance: m,
		Parameters: []script.Parameter{
			number("auth_date_freshness", "How old the Date of a request that is signed may be.", "seconds", "60", &m.authFresh),
			number("verify_date_freshness", "How old the Date of a request that is verified may be.", "seconds", "60", &m.verifyFresh),
			{Name: "ca_list", Type: script.StringParam, Set: named(&m.trust.list), Help: "File with the certificates of trusted issuers, PEM."},
			{Name: "ca_dir", Type: script.StringParam, Set: named(&m.trust.dir), Help: "Folder with such files."},
			{Name: "crl_list", Type: script.StringParam, Set: named(&m.trust.revoked), Help: "File with lists of revoked certificates, PEM."},
			{Name: "crl_dir", Type: script.StringParam, Set: named(&m.trust.revokedDir), Help: "Folder with such files."},
			{Name: "e164_strict_mode", Type: script.BoolParam, Default: "0", Set: script.Into(&m.strict), Help: "Whether numbers begin with + and stand in tel URIs or have user=phone."},
			{Name: "e164_max_length", Type: script.IntParam, Min: 1, Max: 100, Unit: "digits", Default: "15", Set: script.Into(&m.digits), Help: "How long a number may be."},
			{Name: "require_date_hdr", Type: script.BoolParam, Default: "1", Set: script.Into(&m.needDate), Help: "Whether a request that is verified must have a Date; else iat counts where there is none."},
		},
		Functions: m.functions(),
		Variables: []script.Variable{{Name: "identity", Inner: script.OptionalInner, Get: m.identity,
			Help: "The Identity header: header, payload, x5u, attest, dest, iat, orig or origid of its PASSporT; without a word the header as it came."}},
		Start: func(e *script.Env) error { return m.trust.load() },
		Trial: true,
	}
}

func (m *module) functions() []script.Function {
	const text, set = script.TextArg, script.SetArg
	kinds := func(k ...script.ArgKind) []script.ArgKind { return k }
	requests := script.Routes(script.RequestRoute)
	return []script.Function{
		{Name: "stir_shaken_auth", Usage: `stir_shaken_auth("attest", "origid", "certificate", "key", "x5u"[, "orig"[, "dest"[, $var(header)]]])`,
			Args: kinds(text, text, text, text, text, text, text, set), Min: 5, Routes: requests, Reach: script.Requests, Build: m.auth,
			Help: "Signs the request: A, B or C tells how well its caller is known. -1 error, -2 it has an Identity, -3 no telephone number, -4 its Date is old, -5 the certificate is not valid now."},
		{Name: "stir_shaken_verify", Usage: `stir_shaken_verify("certificate", $var(code), $var(reason)[, "orig"[, "dest"]])`,
			Args: kinds(text, set, set, text, text), Min: 3, Routes: requests, Reach: script.Requests, Build: m.verify,
			Help: "Verifies the Identity of the request; below 0 the variables are what to answer. -2 no Identity or Date, -3 no telephone number, -4 no proper Identity, -5 another ppt or alg, -6 the Date is old, -7 it is not within the certificate's time, -8 the certificate is not trusted, -9 the signature or a number is wrong."},
		{Name: "stir_shaken_check", Usage: "stir_shaken_check()", Routes: requests, Reach: script.Requests, Build: m.check,
			Help: "Reports whether the Identity of the request has the right form. -2 there is none, -3 it has not, -4 another ppt or alg."},
		{Name: "stir_shaken_check_cert", Usage: `stir_shaken_check_cert("certificate")`, Args: kinds(text), Min: 1, Routes: requests, Reach: script.Requests, Build: m.checkCert,
			Help: "Reports whether a certificate is valid now. -1 it is none, -2 it is not."},
	}
}

// check builds stir_shaken_check().
func (m *module) check(*script.Args) script.Action {
	return func(x *script.Machine) int {
		value, ok := identityOf(x.Message())
		if !ok {
			return -2
		}
		_, err := parse(value)
		switch err {
		case nil:
			return 1
		case errUnsupported:
			return -4
		default:
			return -3
		}
	}
}

// checkCert builds stir_shaken_check_cert().
func (m *module) checkCert(a *script.Args) script.Action {
	text, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		b, _ := text(x)
		chain, err := certificates(b)
		if err != nil {
			return x.Fail(at, err.Error())
		}
		if !within(chain[0], x.Now()) {
			return -2
		}
		return 1
	}
}

// identity is $identity(field).
func (m *module) identity(u *script.Use) script.Getter {
	field, fixed := u.Fixed()
	if _, known := fields[field]; !known || !fixed {
		u.Errorf("$identity(field) has %s", fieldNames)
		return nil
	}
	get := fields[field]
	return func(x *script.Machine, _ int) script.Value {
		value, ok := identityOf(x.Message())
		if !ok {
			return script.Value{}
		}
		if get == nil {
			return script.Text(value)
		}
		p, _ := read(value)
		text := ""
		if p != nil {
			text = get(p)
		}
		if text == "" {
			return script.Value{}
		}
		return script.Text(x.KeepString(text))
	}
}

// dateOf returns the Date of a request; ok tells whether there is one that can be read.
func dateOf(msg *sipframe.Message) (t time.Time, there, ok bool) {
	i := msg.Find(sipframe.HeaderDate)
	if i < 0 {
		return time.Time{}, false, false
	}
	t, err := time.Parse(time.RFC1123, string(msg.Bytes(msg.Header(i).Value)))
	return t, true, err == nil
}

// named sets what a parameter names.
func named(to *script.Literal) func(script.Literal) error {
	return func(v script.Literal) error {
		*to = v
		var text string
		return script.NonEmpty(&text)(v)
	}
}
