package digest

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestRFC has the examples of RFC 2617 3.5 and RFC 7616 3.9.1.
func TestRFC(t *testing.T) {
	for _, c := range []struct{ name, header, password string }{
		{"RFC 2617 3.5", `Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
			uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1",
			opaque="5ccc069c403ebaf9f0171e9517f40e41"`, "Circle Of Life"},
		{"RFC 7616 3.9.1, SHA-256", `Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256,
			nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
			qop=auth, response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"`, "Circle of Life"},
		{"RFC 7616 3.9.1, MD5", `Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5,
			nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
			qop=auth, response="8ca523f5e9506fed4657c9700eebdbec"`, "Circle of Life"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got Credentials
			if err := ParseCredentials([]byte(c.header), &got); err != nil {
				t.Fatal(err)
			}
			ha1 := AppendHA1(nil, got.Algorithm, got.User, got.Realm, []byte(c.password))
			if !got.Matches(ha1, []byte("GET"), nil) || !got.Matches(bytes.ToUpper(ha1), []byte("GET"), nil) {
				t.Error("the example does not match")
			}
			if got.Matches(ha1, []byte("PUT"), nil) || got.Matches(ha1[1:], []byte("GET"), nil) ||
				got.Matches(AppendHA1(nil, got.Algorithm, got.User, got.Realm, []byte("wrong")), []byte("GET"), nil) {
				t.Error("something else matches")
			}
		})
	}
}

func TestBadCredentials(t *testing.T) {
	const good = `Digest username="u", realm="r", nonce="n", uri="sip:h", response="x"`
	for header, want := range map[string]error{
		good: nil,
		strings.Replace(good, "Digest", "dIGEST", 1): nil,
		strings.ReplaceAll(good, ", ", " ,\r\n "):    nil,
		good + `, algorithm=token, foo=bar`:          nil,
		"Basic dTpw":                                 ErrNotDigest,
		"Digestive x=y":                              ErrNotDigest,
		"":                                           ErrNotDigest,
		"Digest ":                                    ErrSyntax,
		`Digest username="u", realm="r", nonce="n", uri="sip:h"`: ErrSyntax,
		good + `, username="v"`:                                  ErrSyntax,
		good + `, qop=auth`:                                      ErrSyntax,
		good + `, qop=auth, cnonce="c", nc=0000000g`:             ErrSyntax,
		good + `, qop=auth, cnonce="c", nc=000000001`:            ErrSyntax,
		good + `, qop=auth, cnonce="c", nc=00000000`:             ErrSyntax,
		good + `, qop=other, cnonce="c", nc=00000001`:            ErrSyntax,
		good + `, x="`:    ErrSyntax,
		good + `, x="y"z`: ErrSyntax,
		good + `, ="y"`:   ErrSyntax,
		good + strings.Repeat(", a=b", maxParams): ErrSyntax,
	} {
		var c Credentials
		if err := ParseCredentials([]byte(header), &c); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", header, err, want)
		}
	}
}

// TestBothSides has a server challenge a client, in every way there is.
func TestBothSides(t *testing.T) {
	nonces := NewNonces(NoncesConfig{Now: func() int64 { return 1000 }})
	for a := range algorithms {
		for _, q := range []QOP{NoQOP, Auth, AuthInt, AuthBoth} {
			for _, sess := range []bool{false, true} {
				t.Run(fmt.Sprint(a, q, sess), func(t *testing.T) {
					realm := []byte(`a "realm"`)
					var ch Challenge
					text := AppendChallenge(nil, []byte(`a "realm"`), nonces.Append(nil, []byte(`a \"realm\"`), a, q), []byte("op"), Offer{Algorithm: a, Session: sess}, q, false)
					if err := ParseChallenge(text, &ch); err != nil || !ch.Usable() || ch.Algorithm != a || ch.sess != sess || ch.QOP != q {
						t.Fatalf("%s: %v %+v", text, err, ch)
					}
					_ = realm
					r := &Request{Method: []byte("INVITE"), URI: []byte("sip:bob@h"), Body: []byte("v=0"), Count: 1}
					ha1 := AppendHA1(nil, a, []byte("alice"), ch.Realm, []byte("secret"))
					answer := ch.Answer(nil, []byte("alice"), ha1, r)
					var c Credentials
					if err := ParseCredentials(answer, &c); err != nil {
						t.Fatalf("%s: %v", answer, err)
					}
					if v := nonces.Check(&c); v != Good {
						t.Fatalf("the nonce is %v", v)
					}
					if !c.Matches(ha1, r.Method, r.Body) || !c.OfURI(r.URI) || c.OfURI([]byte("sip:eve@h")) {
						t.Fatalf("no match: %s", answer)
					}
					if c.QOP == AuthInt && c.Matches(ha1, r.Method, []byte("v=1")) {
						t.Error("another body matches")
					}
					if !nonces.Use(&c) || nonces.Use(&c) || nonces.Check(&c) != Stale {
						t.Error("it can be used twice")
					}
				})
			}
		}
	}
}

func credentials(nonces *Nonces, realm string, q QOP, as QOP) *Credentials {
	return &Credentials{Realm: []byte(realm), Nonce: nonces.Append(nil, []byte(realm), MD5, q), QOP: as, Count: 1}
}

func TestNonces(t *testing.T) {
	now := int64(1000)
	clock := func() int64 { return now }
	key := [32]byte{1}
	nonces := NewNonces(NoncesConfig{Key: &key, Expire: 5, Live: 16, Now: clock})

	c := credentials(nonces, "r", Auth, Auth)
	now += 4
	if v := nonces.Check(c); v != Good {
		t.Errorf("after 4 of 5 s: %v", v)
	}
	now++
	if v := nonces.Check(c); v != Stale {
		t.Errorf("after 5 of 5 s: %v", v)
	}

	for i := range 40 { // every byte of it matters
		c := credentials(nonces, "r", Auth, Auth)
		if c.Nonce[i] ^= 1; nonces.Check(c) != Foreign {
			// The last bits of base64 may stand for nothing, but 40 characters are 30 bytes to the bit.
			t.Errorf("with another byte %d it is good", i)
		}
	}
	for name, c := range map[string]*Credentials{
		"another realm":      {Realm: []byte("q"), Nonce: nonces.Append(nil, []byte("r"), MD5, Auth)},
		"another algorithm":  {Realm: []byte("r"), Nonce: nonces.Append(nil, []byte("r"), MD5, Auth), Algorithm: SHA256},
		"auth for auth-int":  credentials(nonces, "r", AuthInt, Auth),
		"qop where none was": credentials(nonces, "r", NoQOP, Auth),
		"garbage":            {Realm: []byte("r"), Nonce: []byte("garbage")},
	} {
		if v := nonces.Check(c); v != Foreign {
			t.Errorf("%s: %v", name, v)
		}
	}
	if v := nonces.Check(credentials(nonces, "r", AuthBoth, AuthInt)); v != Good {
		t.Errorf("auth-int of both: %v", v)
	}

	old := credentials(nonces, "r", Auth, Auth)
	for range 16 {
		nonces.Append(nil, []byte("r"), MD5, Auth)
	}
	if v := nonces.Check(old); v != Stale || nonces.Use(old) {
		t.Errorf("one whose slot another has: %v", v)
	}

	other := NewNonces(NoncesConfig{Key: &key, Now: clock})
	if v := nonces.Check(credentials(other, "r", Auth, Auth)); v != Stale {
		t.Errorf("another node's: %v", v)
	}
	again := NewNonces(NoncesConfig{Key: &key, Now: clock, Reuse: true})
	c = credentials(other, "r", Auth, Auth)
	for range 2 {
		if v := again.Check(c); v != Good || !again.Use(c) {
			t.Errorf("with reuse, another node's: %v", v)
		}
	}
}

func TestCounts(t *testing.T) {
	nonces := NewNonces(NoncesConfig{Now: func() int64 { return 1 }})
	c := credentials(nonces, "r", Auth, Auth)
	for _, step := range []struct {
		count uint32
		good  bool
	}{{1, true}, {1, false}, {3, true}, {2, true}, {2, false}, {40, true}, {9, true}, {8, false}, {3, false}, {0xffff, true}, {0x10000, false}, {0, false}} {
		c.Count = step.count
		if got := nonces.Check(c) == Good; got != step.good {
			t.Errorf("nc %d: good is %v", step.count, got)
		}
		if got := nonces.Use(c); got != step.good {
			t.Errorf("nc %d: used is %v", step.count, got)
		}
	}
	c = credentials(nonces, "r", Auth, NoQOP)
	if !nonces.Use(c) || nonces.Use(c) {
		t.Error("without qop it is not used once")
	}
}

func TestUsedOnceAtOnce(t *testing.T) {
	nonces := NewNonces(NoncesConfig{Now: func() int64 { return 1 }})
	c := credentials(nonces, "r", Auth, Auth)
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if nonces.Use(c) {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d got it", won.Load())
	}
}

func TestServerAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("pools keep nothing for sure under the race detector")
	}
	nonces := NewNonces(NoncesConfig{Now: func() int64 { return 1 }})
	ha1 := AppendHA1(nil, MD5, []byte("alice"), []byte("r"), []byte("secret"))
	var ch Challenge
	_ = ParseChallenge(AppendChallenge(nil, []byte("r"), nonces.Append(nil, []byte("r"), MD5, Auth), nil, Offer{}, Auth, false), &ch)
	answer := ch.Answer(nil, []byte("alice"), ha1, &Request{Method: []byte("REGISTER"), URI: []byte("sip:h")})
	buf := make([]byte, 0, 200)
	method, realm := []byte("REGISTER"), []byte("r")
	var c Credentials
	if n := testing.AllocsPerRun(100, func() {
		buf = nonces.Append(buf[:0], realm, MD5, Auth)
		if ParseCredentials(answer, &c) != nil || nonces.Check(&c) == Foreign || !c.Matches(ha1, method, nil) {
			panic("no match")
		}
		nonces.Use(&c)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`Digest username="u", realm="r", nonce="n", uri="sip:h", response="x", qop=auth, nc=00000001, cnonce="\"c"`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		var c Credentials
		if ParseCredentials(b, &c) == nil {
			c.Matches(AppendHA1(nil, c.Algorithm, c.User, c.Realm, nil), []byte("A"), b)
		}
		var ch Challenge
		if ParseChallenge(b, &ch) == nil {
			ch.Answer(nil, c.User, []byte(hex.EncodeToString(b)), &Request{URI: b})
		}
	})
}

func BenchmarkServer(b *testing.B) {
	nonces := NewNonces(NoncesConfig{Now: func() int64 { return 1 }, Reuse: true})
	ha1 := AppendHA1(nil, MD5, []byte("alice"), []byte("r"), []byte("secret"))
	var ch Challenge
	_ = ParseChallenge(AppendChallenge(nil, []byte("r"), nonces.Append(nil, []byte("r"), MD5, Auth), nil, Offer{}, Auth, false), &ch)
	answer := ch.Answer(nil, []byte("alice"), ha1, &Request{Method: []byte("REGISTER"), URI: []byte("sip:h")})
	var c Credentials
	b.ReportAllocs()
	for b.Loop() {
		if ParseCredentials(answer, &c) != nil || nonces.Check(&c) != Good || !c.Matches(ha1, []byte("REGISTER"), nil) {
			b.Fatal("no match")
		}
	}
}

// TestNonceSource: a nonce tells whom it was handed to, and a network of IPv6 is one.
func TestNonceSource(t *testing.T) {
	nonces := NewNonces(NoncesConfig{Now: func() int64 { return 1 }})
	of := func(addr string) uint64 {
		c := &Credentials{Realm: []byte("r"), Nonce: nonces.AppendTo(nil, netip.MustParseAddr(addr), []byte("r"), MD5, Auth), QOP: Auth, Count: 1}
		if v := nonces.Check(c); v != Good {
			t.Fatal(v)
		}
		return nonces.Source(c)
	}
	if of("192.0.2.1") == of("192.0.2.2") || of("192.0.2.1") != of("::ffff:192.0.2.1") {
		t.Error("IPv4")
	}
	if of("2001:db8::1") != of("2001:db8::2") || of("2001:db8::1") == of("2001:db8:0:1::1") {
		t.Error("IPv6")
	}
	if nonces.Source(&Credentials{Nonce: []byte("x")}) != 0 {
		t.Error("no nonce of ours")
	}
}
