package script

import "strings"

// What OpenSIPS 2 wrote in another way is taken, too, and a note tells the name of
// today: bare words in comparisons, flags by number, variables in quotes that a
// function is to set, and parameters that were renamed.

// oldVariables are the bare words of comparisons: if (uri == myself).
var oldVariables = map[string]string{
	"uri": "$ru", "from_uri": "$fu", "to_uri": "$tu", "method": "$rm", "status": "$rs",
	"src_ip": "$si", "src_port": "$sp", "dst_ip": "$socket_in(ip)", "dst_port": "$socket_in(port)",
	"proto": "$socket_in(proto)", "af": "$socket_in(af)", "retcode": "$retcode", "msg:len": "$ml",
}

// oldValues are those of them that were compared with bare words: method == INVITE.
var oldValues = map[string]bool{"method": true, "proto": true, "af": true}

// oldGlobals are global parameters that have another name since.
var oldGlobals = map[string]string{"debug": "log_level", "tcp_children": "tcp_workers", "tcp_poll_method": "poll_method"}

// oldModules are modules that have another name since.
var oldModules = map[string]string{"siptrace": "tracer", "mi_json": "mi_http", "localcache": "cachedb_local"}

// moduleToday gives the name of a module as it is today, with a note where that is another one. The module of that name
// has to be one that there is.
func (c *settings) moduleToday(at Pos, name string) string {
	now := oldModules[name]
	if now == "" || !c.hasModule(now) {
		return name
	}
	c.rep.oncef(at, "module "+name, "the module %s is %s since OpenSIPS 3", name, now)
	return now
}

// oldParameters are those of modules.
var oldParameters = map[string]string{"tm/fr_timer": "fr_timeout", "tm/fr_inv_timer": "fr_inv_timeout", "mi_http/mi_json_root": "mi_http_root"}

// oldComparison makes the sides of a comparison those of OpenSIPS 3 where the left
// one is an old word; others it returns as they are.
func (p *parser) oldComparison(x, y expression) (left, right expression) {
	w, ok := x.(*wordExpr)
	if !ok || oldVariables[w.Text] == "" {
		return x, y
	}
	now := oldVariables[w.Text]
	p.rep.oncef(w.At, w.Text, "%s is %s since OpenSIPS 3", w.Text, now)
	r := varReader{rep: p.rep, text: now, at: func(int) Pos { return w.At }}
	if value, bare := y.(*wordExpr); bare && oldValues[w.Text] && value.Text != "myself" {
		y = &stringExpr{node: node{value.At}, Text: value.Text}
	}
	return r.whole(), y
}

// messageLength reads what follows the word msg: the length of the message.
func (p *parser) messageLength(msg token) expression {
	p.next()
	if t, ok := p.expect(tokIdent, ""); !ok || t.text != "len" {
		p.rep.errorf(msg.pos, "msg:len is the length of the message; there is no other msg: word")
		return nil
	}
	return &wordExpr{node{msg.pos}, "msg:len"}
}

// numberedFlag notes a flag that a number names, which is a name like others.
func (k *compiler) numberedFlag(at Pos, name string) {
	k.rep.oncef(at, "flags by number", "flags have names since OpenSIPS 2: %s is taken as one", name)
}

// quoted reads a string that is a variable that a function is to set.
func (k *compiler) quotedVariable(x *stringExpr) *varExpr {
	b := []byte(x.Text)
	if len(b) == 0 || b[0] != '$' {
		return nil
	}
	if end, ok := variableEnd(b, 0, k.words); !ok || end != len(b) {
		return nil
	}
	k.rep.oncef(x.At, "variables in quotes", "a variable that a function sets stands without quotes since OpenSIPS 3: %s", x.Text)
	r := varReader{rep: k.rep, text: x.Text, at: func(int) Pos { return x.At }}
	return r.whole()
}

// flagNumber takes the number of a flag as its name where a parameter names a flag.
func (c *settings) flagNumber(spec *globalSpec, name string, v Literal) Literal {
	if !v.IsInt || v.Quoted || spec.typ != StringParam || !strings.HasSuffix(name, "flag") {
		return v
	}
	c.rep.oncef(v.At, "flags by number", "flags have names since OpenSIPS 2: %s is taken as one", v.Text)
	v.Quoted, v.IsInt = true, false
	return v
}
