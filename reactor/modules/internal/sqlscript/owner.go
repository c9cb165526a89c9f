package sqlscript

import (
	"errors"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/sipframe"
)

// ownerKind is which part of a source names whose preferences are meant.
type ownerKind uint8

const (
	byUUID ownerKind = iota
	byURI
	byUser
	byDomain
)

var ownerKinds = map[string]ownerKind{"uuid": byUUID, "uri": byURI, "username": byUser, "domain": byDomain}

// uriVariables are those that hold a URI without being told.
var uriVariables = map[string]bool{"$ru": true, "$fu": true, "$tu": true, "$ou": true}

// owner is a source: a variable or a text, and which part of it counts.
type owner struct {
	kind ownerKind
	get  func(m *script.Machine) script.Value
	text string // where get is nil
}

// source reads "$ru/domain", "$avp(uuid)" or "alice"; false after an error.
func source(a *script.Args, i int) (owner, bool) {
	v := a.Literal(i)
	text := strings.TrimSpace(v.Text)
	o := owner{kind: byUUID}
	if at := strings.LastIndexByte(text, '/'); at >= 0 {
		kind, known := ownerKinds[strings.ToLower(text[at+1:])]
		if !known {
			a.Errorf(i, "found /%s, expected /username, /domain, /uri or /uuid", text[at+1:])
			return o, false
		}
		o.kind, text = kind, text[:at]
	} else if uriVariables[text] {
		o.kind = byURI
	}
	if text == "" {
		a.Errorf(i, "the source is empty: a variable or a text says whose preferences are meant")
		return o, false
	}
	if !strings.HasPrefix(text, "$") {
		o.text = text
		return o, true
	}
	v.Text = text
	o.get = a.Loading().Variable(v)
	return o, o.get != nil
}

var errNoOwner = errors.New("the source is NULL or empty")

// keys are the columns that name an owner, with their values.
func (o *owner) keys(m *script.Machine, t *table, useDomain bool) ([]store.Set, error) {
	text := o.text
	if o.get != nil {
		text = string(m.Text(o.get(m)))
	}
	if text == "" {
		return nil, errNoOwner
	}
	if o.kind == byUUID {
		return []store.Set{{Column: t.uuid, Value: store.String(text)}}, nil
	}
	user, domain := text, text
	var u sipframe.URI
	b := []byte(text)
	if strings.ContainsAny(text, ":@") || o.kind == byURI {
		if err := sipframe.ParseURI(b, &u); err != nil {
			return nil, err
		}
		user, domain = string(u.User.In(b)), strings.ToLower(string(u.Host.In(b)))
	}
	switch {
	case o.kind == byDomain:
		return []store.Set{{Column: t.domain, Value: store.String(domain)}}, nil
	case user == "":
		return nil, errNoOwner
	case o.kind == byURI && useDomain:
		return []store.Set{{Column: t.user, Value: store.String(user)}, {Column: t.domain, Value: store.String(domain)}}, nil
	default:
		return []store.Set{{Column: t.user, Value: store.String(user)}}, nil
	}
}

// columns are those that name an owner of the kind.
func (o *owner) columns(t *table, useDomain bool) []string {
	switch {
	case o.kind == byUUID:
		return []string{t.uuid}
	case o.kind == byDomain:
		return []string{t.domain}
	case o.kind == byURI && useDomain:
		return []string{t.user, t.domain}
	default:
		return []string{t.user}
	}
}
