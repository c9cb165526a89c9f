package reactor

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"testing"
)

// renamer has one side know Call-IDs with a prefix.
type renamer struct{}

func (renamer) CallID(id []byte) []byte { return bytes.TrimPrefix(id, []byte("hidden-")) }

// TestHiddenCallID: requests of a side that knows the call by another Call-ID go to the shard of the other side's.
func TestHiddenCallID(t *testing.T) {
	e := &Engine{seed: maphash.MakeSeed(), shards: make([]*shard, 16), renamer: renamer{}}
	shards := make(map[int]bool)
	for n := range 100 {
		shard := func(prefix string) int {
			return e.shardOf(fmt.Appendf(nil, "BYE sip:bob@example.com SIP/2.0\r\nCall-ID: %s%d@example.com\r\n\r\n", prefix, n))
		}
		if shard("") != shard("hidden-") {
			t.Errorf("call %d is in two shards", n)
		}
		shards[shard("")] = true
	}
	if len(shards) < 8 {
		t.Errorf("100 calls are in %d shards", len(shards))
	}
}
