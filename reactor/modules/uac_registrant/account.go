package uac_registrant

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sipreactor/reactor/store"
	"sipreactor/sipframe"
)

// account says where to register, as whom and with which contact. Two that are equal ask for the same.
type account struct {
	registrar  string // Request-URI
	proxy      string // URI of the next hop; "" the registrar
	aor        string // To
	thirdParty string // From; "" as To
	user       string // "" the credentials of uac_auth
	password   string // or 0x and an HA1
	binding    string // URI of Contact
	params     string // behind it, from its ";" on
	expiry     uint32 // seconds that are asked for
	socket     string // to send from; "" any
	tag        string // cluster_shtag
	disabled   bool
}

// key tells accounts from one another.
type key struct{ aor, binding, registrar string }

func (a *account) key() key { return key{a.aor, a.binding, a.registrar} }

// Bounds of an expiry, in seconds.
const (
	defaultExpiry = 3600
	maxExpiry     = 1<<31 - 1
)

// check reports what is wrong with an account, which may come from anywhere, and fills in what was left out.
func (a *account) check() error {
	for _, u := range []struct {
		what, uri string
		needed    bool
	}{
		{"the registrar", a.registrar, true}, {"the proxy", a.proxy, false}, {"the address of record", a.aor, true},
		{"the third party", a.thirdParty, false}, {"the binding URI", a.binding, true},
	} {
		if u.uri == "" && !u.needed {
			continue
		}
		var parsed sipframe.URI
		if sipframe.ParseURI([]byte(u.uri), &parsed) != nil || strings.ContainsAny(u.uri, "<>\r\n\t \"") {
			return fmt.Errorf("%s %q is no URI", u.what, u.uri)
		}
	}
	if a.params != "" && (a.params[0] != ';' || strings.ContainsAny(a.params, "\r\n")) {
		return errors.New("the binding's parameters begin with ; and are one line")
	}
	if strings.ContainsAny(a.user, "\r\n") {
		return errors.New("the user name is one line")
	}
	if a.expiry == 0 {
		a.expiry = defaultExpiry
	}
	return nil
}

// unique reports whether the binding is to be the only one of its address of record: it has an instance and a reg-id.
func (a *account) unique() bool {
	if a.params == "" {
		return false
	}
	params := []byte(a.params[1:])
	_, instance := sipframe.FindParam(params, "+sip.instance")
	_, id := sipframe.FindParam(params, "reg-id")
	return instance && id
}

// parseAccount reads the parameter uac: registrar, proxy, address of record, third party, user, password, binding URI and
// its parameters, expiry and socket, separated by commas.
func parseAccount(text string) (*account, error) {
	f := strings.Split(text, ",")
	if len(f) < 7 || len(f) > 10 {
		return nil, errors.New("is registrar,proxy,aor,third party,user,password,binding URI,binding parameters,expiry,socket")
	}
	f = append(f, "", "", "")
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
	}
	a := &account{registrar: f[0], proxy: f[1], aor: f[2], thirdParty: f[3], user: f[4], password: f[5], binding: f[6], params: f[7], socket: f[9]}
	if f[8] != "" {
		n, err := strconv.ParseUint(f[8], 10, 31)
		if err != nil {
			return nil, fmt.Errorf("has the expiry %q, which is no number of seconds", f[8])
		}
		a.expiry = uint32(n)
	}
	return a, a.check()
}

// columns are the columns of the table, in the order of read.
type columns [12]string

func defaultColumns() columns {
	return columns{"registrar", "proxy", "aor", "third_party_registrant", "username", "password", "binding_URI", "binding_params",
		"expiry", "forced_socket", "cluster_shtag", "state"}
}

// The columns that changes of a state are written by.
const (
	columnRegistrar = 0
	columnAOR       = 2
	columnBinding   = 6
	columnSocket    = 9
	columnState     = 11
)

// readAccount reads a row.
func readAccount(r *store.Row) (*account, error) {
	a := &account{
		registrar: r.Text(0), proxy: r.Text(1), aor: r.Text(2), thirdParty: r.Text(3), user: r.Text(4), password: r.Text(5),
		binding: r.Text(6), params: r.Text(7), expiry: uint32(r.IntIn(8, 0, maxExpiry)), socket: r.Text(9), tag: r.Text(10),
		disabled: r.IntIn(11, 0, 1) == 1,
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	if err := a.check(); err != nil {
		return nil, r.Fault(-1, "%v", err)
	}
	return a, nil
}
