package proxy

import (
	"bytes"
	"strings"
	"testing"

	"sipreactor/reactor"
)

var testToken = token{trans: 0x0123456789abcdef, loop: 0xfedcba98, shard: 6, check: 0xdeadbeef, proto: reactor.TLS, socket: 3, conn: 0x1_0000_0007, life: 0x5eed}

func TestBranchRoundTrip(t *testing.T) {
	k := newKeys(testKey)
	for _, want := range []token{
		testToken,
		{},
		{trans: 1<<64 - 1, loop: loopMask, shard: 255, check: 1<<32 - 1, proto: protoMask, verified: true, toTag: true, socket: 1<<16 - 1, conn: 1<<64 - 1, life: 1<<32 - 1},
		{proto: reactor.UDP, socket: 1},
	} {
		b := k.appendBranch(nil, &want)
		if len(b) != branchText || !strings.HasPrefix(string(b), cookie) {
			t.Errorf("branch %q", b)
		}
		for _, c := range b[len(cookie):] {
			if c != lower(c) {
				t.Errorf("branch %q has upper case", b)
				break
			}
		}
		var got token
		if !k.openBranch(b, &got) || got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if again := k.appendBranch(nil, &want); !bytes.Equal(again, b) {
			t.Error("equal tokens have different branches")
		}
		if !k.openBranch(bytes.ToUpper(b), &got) || got != want {
			t.Error("case matters")
		}
	}
}

// Which shard a branch leads to is read without its secrets; what is none of ours, or names no shard, tells none.
func TestShardOfABranch(t *testing.T) {
	var p Proxy
	k := newKeys(testKey)
	for shard := range 256 {
		b := k.appendBranch(nil, &token{trans: 1<<64 - 1, loop: loopMask, shard: uint8(shard), check: 1<<32 - 1})
		for _, b := range [][]byte{b, bytes.ToUpper(b)} {
			if got, ok := p.Shard(b); ok != (shard > 0) || ok && got != shard-1 {
				t.Errorf("shard %d of %q, want %d", got, b, shard-1)
			}
		}
	}
	good := k.appendBranch(nil, &testToken)
	for _, bad := range []string{"", cookie, string(good[:len(good)-1]), string(good) + "a", strings.Repeat("-", len(good)), cookie + strings.Repeat("-", tokenText)} {
		if _, ok := p.Shard([]byte(bad)); ok {
			t.Errorf("%q has a shard", bad)
		}
	}
}

// Whoever changes any bit of a branch, or has other keys, has no branch.
func TestBranchForged(t *testing.T) {
	k := newKeys(testKey)
	good := k.appendBranch(nil, &testToken)
	var got token
	for i := len(cookie); i < len(good); i++ {
		for _, d := range base32Digits {
			if bad := bytes.Clone(good); bad[i] != byte(d) {
				if bad[i] = byte(d); k.openBranch(bad, &got) {
					t.Fatalf("%q opens", bad)
				}
			}
		}
	}
	for _, bad := range []string{"", cookie, string(good[1:]), string(good) + "a", string(good[:len(good)-1]),
		"z9hG4bX" + string(good[len(cookie):]), cookie + strings.Repeat("!", tokenText), cookie + strings.Repeat("a", tokenText)} {
		if k.openBranch([]byte(bad), &got) {
			t.Errorf("%q opens", bad)
		}
	}
	if newKeys([32]byte{9}).openBranch(good, &got) {
		t.Error("another key opens the branch")
	}
}

// What a peer sees tells nothing about the connection: two connections' branches
// for the same request have nothing but the plain parts in common, and the parts
// of two branches do not make a third.
func TestBranchHidesConnection(t *testing.T) {
	k := newKeys(testKey)
	one, two := testToken, testToken
	two.conn++
	a, b := k.appendBranch(nil, &one), k.appendBranch(nil, &two)
	var ra, rb [tokenBytes]byte
	if !parseBase32(ra[:], a[len(cookie):]) || !parseBase32(rb[:], b[len(cookie):]) {
		t.Fatal("no base32")
	}
	if !bytes.Equal(ra[:atFlags], rb[:atFlags]) {
		t.Error("the plain part differs")
	}
	same := 0
	for i := atFlags; i < tokenBytes; i++ {
		if ra[i] == rb[i] {
			same++
		}
	}
	if same > 4 {
		t.Errorf("%d of %d encrypted bytes are equal", same, tokenBytes-atFlags)
	}
	mixed := ra
	copy(mixed[atFlags:atSeal], rb[atFlags:atSeal])
	var got token
	if k.openBranch(appendBase32([]byte(cookie), mixed[:]), &got) {
		t.Error("a branch of parts opens")
	}
}

func TestCookie(t *testing.T) {
	for text, want := range map[string]bool{"z9hG4bK1": true, "Z9HG4BK1": true, "z9hg4bk": true, "z9hG4b": false,
		"y9hG4bK1": false, "": false, "Y9hG4bK": false} {
		if hasCookie([]byte(text)) != want {
			t.Errorf("%q", text)
		}
	}
}

// Keys of different uses differ.
func TestKeysDiffer(t *testing.T) {
	k := newKeys(testKey)
	seen := map[[2]uint64]bool{}
	for _, key := range [][2]uint64{k.trans, k.loop, k.check, k.seal, k.crypt, k.tag, k.clock} {
		if seen[key] || key == [2]uint64{} {
			t.Error("keys repeat")
		}
		seen[key] = true
	}
}

func FuzzBranch(f *testing.F) {
	k := newKeys(testKey)
	f.Add(k.appendBranch(nil, &testToken))
	f.Add([]byte(cookie))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got token
		if !k.openBranch(b, &got) {
			return
		}
		// Only what we write opens.
		if again := k.appendBranch(nil, &got); !bytes.EqualFold(again, b) {
			t.Fatalf("%q opens and is not ours", b)
		}
		other := newKeys([32]byte{7})
		if other.openBranch(b, &got) {
			t.Fatalf("%q opens with two keys", b)
		}
	})
}
