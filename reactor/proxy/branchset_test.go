package proxy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// uris lists the Request-URIs of the branches.
func uris(c *Context) (list []string) {
	for i := range c.Branches() {
		list = append(list, string(c.BranchURI(i)))
	}
	return list
}

// TestBranchSet appends, moves, swaps and removes branches as a script does.
func TestBranchSet(t *testing.T) {
	const came = "sip:bob@203.0.113.9:5061;transport=tls"
	add := func(c *Context, uri string, inherit bool) *Branch {
		b, err := c.AppendBranch([]byte(uri), inherit)
		if err != nil {
			t.Errorf("append %q: %v", uri, err)
		}
		return b
	}
	b := newBed(t, funcs{request: func(c *Context) {
		if got := uris(c); !slices.Equal(got, []string{came}) {
			t.Errorf("at first: %q", got)
		}
		_ = c.SetDestURI([]byte("sip:192.0.2.8"))
		c.Branch(0).SetQ(700)
		c.SetBranchFlag(3)
		c.Branch(0).SetAttr(Attr{Name: "a", Text: []byte("one"), IsText: true})
		c.SetSendSocket(tcpSocket)
		_ = c.Branch(0).SetPath([]byte("<sip:p1;lr>"))
		one := add(c, "sip:one@x", true)
		two := add(c, "sip:two@x", false)
		if string(one.DestURI()) != "sip:192.0.2.8" || one.Q() != 700 || one.Flags() != 8 || one.Socket() != tcpSocket || string(one.Path()) != "<sip:p1;lr>" || string(one.Attr("a").Text) != "one" {
			t.Errorf("inherits: %+v", one)
		}
		if two.DestURI() != nil || two.Q() != NoQ || two.Flags() != 0 || two.Socket() != nil || two.Path() != nil || two.Attr("a") != nil {
			t.Errorf("inherits nothing: %+v", two)
		}
		c.Branch(0).SetAttr(Attr{Name: "a", Text: []byte("other"), IsText: true})
		if string(one.Attr("a").Text) != "one" {
			t.Error("the branches share an attribute")
		}
		add(c, "", false)
		_ = c.SetRequestURI([]byte("sip:zero@x"))
		if got := uris(c); !slices.Equal(got, []string{"sip:zero@x", "sip:one@x", "sip:two@x", came}) {
			t.Errorf("appended: %q", got)
		}
		if !c.SwapBranches(0, 2) || c.SwapBranches(0, 4) || c.SwapBranches(-1, 0) {
			t.Error("swap")
		}
		if got := uris(c); !slices.Equal(got, []string{"sip:two@x", "sip:one@x", "sip:zero@x", came}) || c.DestURI() != nil || string(c.Branch(2).DestURI()) != "sip:192.0.2.8" {
			t.Errorf("swapped: %q", got)
		}
		if !c.MoveBranch(1, 3, false) || c.MoveBranch(1, 9, false) || !c.MoveBranch(1, 1, false) {
			t.Error("move")
		}
		if got := uris(c); !slices.Equal(got, []string{"sip:two@x", "sip:zero@x", "sip:one@x"}) || c.Branch(2).Q() != 700 {
			t.Errorf("moved: %q", got)
		}
		if !c.MoveBranch(0, 1, true) || string(c.BranchURI(1)) != "sip:two@x" {
			t.Errorf("copied: %q", uris(c))
		}
		if c.RemoveBranch(0) || c.RemoveBranch(3) || !c.RemoveBranch(1) {
			t.Error("remove")
		}
		if got := uris(c); !slices.Equal(got, []string{"sip:two@x", "sip:one@x"}) {
			t.Errorf("removed: %q", got)
		}
		c.ClearBranches()
		for n := range MaxBranches - 1 {
			add(c, fmt.Sprintf("sip:%d@x", n), false)
		}
		first := c.Branch(1)
		if _, err := c.AppendBranch([]byte("sip:more@x"), false); !errors.Is(err, ErrBranches) {
			t.Errorf("one too many: %v", err)
		}
		if c.Branch(1) != first || string(first.URI()) != "sip:0@x" {
			t.Error("a branch moved in memory")
		}
		if c.RemoveBranch(2); c.Branches() != MaxBranches-1 {
			t.Errorf("%d branches", c.Branches())
		}
		for _, bad := range []string{"bob", "sip:a b@x", "sip:a@x\r\nX: y"} {
			if _, err := c.AppendBranch([]byte(bad), false); !errors.Is(err, ErrURI) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		if err := first.SetPath([]byte("<sip:p>\r\nX: y")); !errors.Is(err, ErrHeader) {
			t.Errorf("a path of two lines: %v", err)
		}
	}})
	b.pass(invite(), overTLS)
	b.ctx.proxy.SetRouter(funcs{request: func(c *Context) {
		if c.Branches() != 1 || c.Branch(0).Q() != NoQ || len(c.Branch(0).URI()) > 0 || c.Branch(0).Attr("a") != nil {
			t.Error("the next message has something of the last")
		}
	}})
	b.pass(invite("Call-ID: other"), overTLS)
}

// TestBranchAttrs bounds the attributes of a branch and takes them away.
func TestBranchAttrs(t *testing.T) {
	var b Branch
	for n := range maxAttrs {
		if !b.SetAttr(Attr{Name: fmt.Sprint(n), Number: int64(n)}) {
			t.Fatal(n)
		}
	}
	if b.SetAttr(Attr{Name: "more"}) || !b.SetAttr(Attr{Name: "5", Number: 50}) || b.Attr("5").Number != 50 {
		t.Error("the bound")
	}
	b.RemoveAttr("3")
	b.RemoveAttr("none")
	if b.Attr("3") != nil || len(b.Attrs()) != maxAttrs-1 || b.Attr("4").Number != 4 {
		t.Error("removed")
	}
}

// TestBranchPath writes the Path of the branch on top of its Routes.
func TestBranchPath(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		c.LooseRoute()
		_ = c.Branch(0).SetPath([]byte("<sip:p1;lr>,<sip:p2;lr>"))
		_ = c.SetDestURI([]byte("sip:203.0.113.9:5061;transport=tls"))
		_ = c.Forward(nil)
	}})
	for _, route := range []string{"", "+Route: " + next, "+Route: " + ownTLS, "+Route: " + ownTLS + ", " + next} {
		out := b.one(invite(route, "To: <sip:bob@example.com>;tag=b1"), overTLS)
		got := strings.Join(headers(t, out.text, "Route"), ", ")
		want := "<sip:p1;lr>,<sip:p2;lr>"
		if strings.Contains(route, next) {
			want += ", " + next
		}
		if got != want {
			t.Errorf("%q: Route %q, want %q", route, got, want)
		}
	}
}

// TestNoNewFlags forbid a branch to open a connection by its flags.
func TestNoNewFlags(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		c.SetNoNewFlags(1<<5, 0)
		c.SetBranchFlag(5)
		_ = c.Forward(nil)
	}})
	if out := b.one(invite(), overTLS); !out.to.NoNew {
		t.Error("a connection could be opened")
	}
}

// BenchmarkBranchSet appends and takes away, without garbage.
func BenchmarkBranchSet(b *testing.B) {
	uri, value := []byte("sip:alice@192.0.2.9:5070"), []byte("value")
	p, err := New(Config{Key: &testKey, Resolver: noNames{}}, funcs{request: func(c *Context) {
		for range 3 {
			br, _ := c.AppendBranch(uri, true)
			br.SetAttr(Attr{Name: "x", Text: value, IsText: true})
		}
		c.SwapBranches(0, 2)
		c.RemoveBranch(1)
	}})
	if err != nil {
		b.Fatal(err)
	}
	p.SetSockets(allSockets)
	c, text := p.NewContext(&recorder{}), []byte(invite())
	b.ReportAllocs()
	for b.Loop() {
		c.Receive(text, overTLS)
	}
}

// TestBranchFlow sends by the connection that a contact registered over.
func TestBranchFlow(t *testing.T) {
	for _, c := range []struct {
		name string
		only bool
		addr bool // the target has one to fall back to
	}{{"with a way around", false, true}, {"and nothing else", true, false}} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t, funcs{request: func(x *Context) {
				_ = x.SetRequestURI([]byte("sip:bob@203.0.113.9:5061;transport=tls"))
				x.Branch(0).SetFlow(77, c.only)
				if err := x.Forward(nil); err != nil {
					t.Error(err)
				}
			}})
			to := b.one(invite(), overTLS).to
			if to.Conn != 77 || to.Addr.IsValid() != c.addr {
				t.Errorf("goes to %+v", to)
			}
		})
	}
}
