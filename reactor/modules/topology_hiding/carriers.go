package topology_hiding

import (
	"errors"
	"fmt"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// carrier is a parameter of our Contacts that carries what there is without a dialog.
type carrier struct {
	param    string
	password string // "" the secret that is there without
	sealer   *sealer
}

// maxCarriers is how many there may be: the one that is written, and that of before.
const maxCarriers = 2

// addCarrier reads th_contact_encode_param_password: name[:password[:C or L]].
func (m *module) addCarrier(v script.Literal) error {
	part := strings.SplitN(v.Text, ":", 3)
	c := carrier{param: part[0]}
	if c.param == "" || strings.Trim(c.param, paramChars) != "" {
		return errors.New("the name of a parameter has to be letters, digits, -, _ and dots")
	}
	if len(part) > 1 {
		if c.password = part[1]; c.password == "" {
			return errors.New("has an empty password: name[:password[:C or L]]")
		}
	}
	if len(part) > 2 && !strings.EqualFold(part[2], "C") && !strings.EqualFold(part[2], "L") {
		return fmt.Errorf("the layout is C or L, not %q", part[2])
	}
	for _, o := range m.carriers {
		if o.param == c.param {
			return fmt.Errorf("%s is there twice", c.param)
		}
	}
	if len(m.carriers) == maxCarriers {
		return fmt.Errorf("is there more than %d times", maxCarriers)
	}
	m.carriers = append(m.carriers, c)
	return nil
}

// checkCarriers finds the one that is written, and what does not go together.
func (m *module) checkCarriers(l *script.Loading) {
	if m.infoKey != nil && m.infoPassword != "" {
		l.Errorf(l.Place("th_contact_encode_key_file"), "th_contact_encode_key_file and th_contact_encode_passwd are two secrets: one has to go")
	}
	switch {
	case len(m.carriers) == 0:
		m.carriers = []carrier{{param: m.infoParam}}
	case m.infoPassword != "":
		l.Errorf(l.Place("th_contact_encode_passwd"), "th_contact_encode_passwd and th_contact_encode_param_password both name passwords: one has to go")
	}
	for i := range m.carriers {
		if m.carriers[i].param == m.writtenParam {
			m.written = i
			return
		}
	}
	if m.writtenParam != "" {
		l.Errorf(l.Place("th_use_param"), "th_use_param names %s, which no th_contact_encode_param_password does", m.writtenParam)
	}
}

// carried reads what a URI of ours carries.
func (m *module) carried(u *sipframe.URI, uri, callID []byte) (info, bool) {
	for i := range m.carriers {
		if text, ok := u.Param(uri, m.carriers[i].param); ok {
			return m.carriers[i].sealer.open(text, callID)
		}
	}
	return info{}, false
}
