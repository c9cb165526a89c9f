package script

import (
	_ "embed" // the default configuration
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"sipreactor/reactor"
)

//go:embed default.cfg
var defaultCfg []byte

// Default gives the configuration that runs when there is no file: TLS on
// 127.0.0.1:5061, OPTIONS answered, requests forwarded to loopback addresses
// only. The slice is the caller's own.
func Default() []byte { return append([]byte(nil), defaultCfg...) }

// Loader reads configurations. The zero value knows the language alone.
type Loader struct {
	// Modules are those that loadmodule can name.
	Modules []Constructor
	// Sockets are more of them, each as it stands behind socket=.
	Sockets []string
	// Previous is the program that the next one is to replace; nil: none. The counts of
	// its statistics go on.
	Previous *Program
}

// Load reads, checks and compiles the configuration file at path. The error is of
// type Errors; a configuration that comes with one is what could be read of it, which
// is good for Try and Locate only.
func (l *Loader) Load(path string) (*Config, error) {
	src, err := readFile(path)
	if err != nil {
		var named *fs.PathError
		if errors.As(err, &named) {
			err = named.Err
		}
		return nil, Errors{{File: path, Msg: err.Error()}}
	}
	return l.Compile(path, src)
}

// Compile is Load for a configuration that is at hand; name is what errors call
// it, and files it includes are looked for beside it.
func (l *Loader) Compile(name string, src []byte) (*Config, error) {
	cfg := newConfig()
	rep := &report{words: newVocabulary(l.Modules, cfg)}
	f := parse(name, src, rep, readFile)
	for _, s := range l.Sockets {
		f.Items = append(f.Items, parse("-l", []byte("socket="+s+"\n"), rep, readFile).Items...)
	}
	f.Notes = rep.notes
	c := &settings{Config: cfg, rep: rep, words: rep.words, loops: 100}
	// What could be read is checked, too, as far as it does not depend on what
	// could not.
	c.partial = len(rep.list) > 0 || rep.cut.IsValid()
	if c.read(f); !rep.full() {
		c.finish()
		c.Program = compileRoutes(c, f, l.Previous)
	}
	rep.last = c.summary()
	if err := rep.err(); err != nil {
		return c.Config, err
	}
	c.Notes = rep.notes
	return c.Config, nil
}

// read takes in everything but the routes.
func (c *settings) read(f *parsedFile) {
	for _, item := range f.Items {
		switch it := item.(type) {
		case *socketItem:
			c.socket(it)
		case *globalItem:
			c.global(it)
		case *loadModuleItem:
			c.load(it)
		case *modParamItem:
			c.modParam(it)
		}
	}
}

// socket takes a listener. OpenSIPS' proto_hep and proto_bin do not start without one of
// their own, so configurations have them.
func (c *settings) socket(s *socketItem) {
	switch s.NotOpened {
	case "":
		c.Sockets = append(c.Sockets, s.Decl)
	case "bin":
		c.rep.notef(s.Decl.Pos, "nothing listens on this bin socket: nodes do not speak to each other")
	default:
		c.hepSockets = append(c.hepSockets, s.Decl.Pos)
		c.rep.notef(s.Decl.Pos, "nothing listens on this %s socket: no HEP is received; collectors are dialled", s.NotOpened)
	}
}

func (c *settings) global(g *globalItem) {
	if g.Name == "alias" {
		c.alias(g.Value)
		for i, v := range g.Extra {
			switch {
			case strings.EqualFold(v.Text, "accept_subdomain"):
				c.rep.errorf(v.At, "accept_subdomain is not supported for an alias; name the subdomains one by one")
			default:
				c.alias(g.Extra[i])
			}
		}
		return
	}
	if now := oldGlobals[g.Name]; now != "" {
		c.rep.notef(g.At, "%s is %s since OpenSIPS 3", g.Name, now)
		g.Name = now
	}
	if why, ok := refusedGlobals[g.Name]; ok {
		c.rep.errorf(g.At, "%s is not supported: %s", g.Name, why)
		return
	}
	spec := globals[g.Name]
	if spec == nil {
		spec = idleGlobals[g.Name]
	}
	if spec == nil {
		c.rep.errorf(g.At, "unknown parameter %s%s", clip(g.Name), choices(g.Name, globalNames()))
		return
	}
	c.places[g.Name] = g.Value.At
	c.say(said{name: g.Name, value: g.Value, restart: !reloadable[g.Name]})
	if c.assign(spec, g.Name, g.Value) {
		c.extra(g)
	}
}

// extra checks what stands behind a global's value.
func (c *settings) extra(g *globalItem) {
	if len(g.Extra) == 0 || g.Name == "auto_scaling_profile" {
		return
	}
	if g.Extra[0].Text == "use_auto_scaling_profile" && len(g.Extra) == 2 && strings.HasSuffix(g.Name, "_workers") {
		c.rep.notef(g.Extra[0].At, "use_auto_scaling_profile: workers are goroutines that cost nothing when idle, so there is nothing to scale")
		return
	}
	c.rep.errorf(g.Extra[0].At, "found %s behind the value of %s, expected the end of the line", clip(g.Extra[0].Text), g.Name)
}

// assign checks a value and sets it.
func (c *settings) assign(spec *globalSpec, name string, v Literal) bool {
	if !spec.fits(v) {
		found := v.Text
		if v.Quoted {
			found = strconv.Quote(clip(v.Text))
		}
		c.rep.errorf(v.At, "%s = %s is not possible: it takes %s", name, clip(found), spec.allowedNot(v))
		return false
	}
	if spec.set != nil {
		if msg := spec.set(c, v); msg != "" {
			c.rep.errorf(v.At, "%s %s", name, msg)
			return false
		}
	}
	if spec.note != "" {
		c.rep.notef(v.At, "%s does nothing here: %s", name, spec.note)
	}
	return true
}

func (c *settings) alias(v Literal) {
	rest := v.Text
	proto, more, ok := strings.Cut(rest, ":")
	if ok {
		if _, known := reactor.ParseProto(proto); known || proto == "any" {
			rest = more
		}
	}
	host, _, msg := splitHost(rest)
	if msg != "" || host == "*" {
		c.rep.errorf(v.At, "alias %s is not a host: [proto:]host[:port]", clip(v.Text))
		return
	}
	c.Proxy.MyDomains = append(c.Proxy.MyDomains, strings.TrimPrefix(v.Text, "any:"))
}

// finish checks what can be checked only when all is read.
func (c *settings) finish() {
	if c.signature != nil && !*c.signature {
		c.Proxy.ServerHeader = ""
	}
	c.finishSockets()
}

func (c *settings) finishSockets() {
	if len(c.Sockets) == 0 && !c.partial {
		c.listenEverywhere()
	}
	for _, at := range c.hepSockets {
		if !c.loaded("proto_hep") && !c.partial {
			c.rep.errorf(at, `a HEP socket needs loadmodule "proto_hep.so"`)
		}
	}
	for i := range c.Sockets {
		s := &c.Sockets[i]
		if name := "proto_" + s.Proto.String(); !c.loaded(name) && !c.partial {
			c.rep.errorf(s.Pos, `a %v socket needs loadmodule "%s.so"`, s.Proto, name)
		}
		if s.Port == 0 {
			s.Port = c.Proxy.DefaultPort(s.Proto)
		}
		if s.AdvertisedHost == "" {
			s.AdvertisedHost = c.advertised.host
		}
		if s.AdvertisedPort == 0 && s.AdvertisedHost != "" {
			s.AdvertisedPort = c.advertised.port
		}
		for _, other := range c.Sockets[:i] {
			switch {
			case other.Proto == s.Proto && other.Host == s.Host && other.Port == s.Port:
				c.rep.errorf(s.Pos, "the same socket is at line %d already", other.Pos.Line())
			case s.Tag != "" && other.Tag == s.Tag:
				c.rep.errorf(s.Pos, "the tag %s is that of the socket at line %d already", s.Tag, other.Pos.Line())
			}
		}
	}
}

// listenEverywhere makes the sockets of a file that names none: every address, for each protocol that is loaded.
func (c *settings) listenEverywhere() {
	var names []string
	for _, p := range []reactor.Proto{reactor.UDP, reactor.TCP, reactor.TLS, reactor.WS, reactor.WSS} {
		if name := "proto_" + p.String(); c.loaded(name) {
			c.Sockets = append(c.Sockets, SocketDecl{Pos: c.places[loadPlace+name], Proto: p, Host: "*"})
			names = append(names, p.String())
		}
	}
	if names == nil {
		c.rep.errorf(c.top(), "there is no socket: socket=%s", socketUsage)
		return
	}
	c.rep.notef(c.top(), "there is no socket=: it listens on every address of the machine by %s", strings.Join(names, ", "))
}

// top is the place for what belongs to no line: the beginning of the file.
func (c *settings) top() Pos {
	for src, i := range c.rep.order {
		if i == 0 {
			return Pos{src, 0}
		}
	}
	return Pos{}
}

func itoa(n int) string { return strconv.Itoa(n) }
