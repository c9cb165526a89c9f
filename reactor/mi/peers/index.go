package peers

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync/atomic"
)

// key is how messages tell of a peer.
type key struct {
	addr netip.AddrPort
	name string // SIP domain or the text of an address; "" = not told
	from bool   // addr has no port: the peer came from there
}

const (
	buckets = 4096
	// maxEntries bounds an index.
	maxEntries = 4 * maxRows
)

// index finds rows by keys. Any goroutine may get without a lock; put and remove
// are called under the table's.
type index struct {
	seed    maphash.Seed
	buckets [buckets]atomic.Pointer[entry]
	entries int
}

type entry struct {
	key  key
	row  *row
	next atomic.Pointer[entry]
}

func (x *index) bucket(k *key) *atomic.Pointer[entry] {
	var b [18]byte
	ip := k.addr.Addr().As16()
	copy(b[:], ip[:])
	binary.BigEndian.PutUint16(b[16:], k.addr.Port())
	h := maphash.Bytes(x.seed, b[:])
	if k.name != "" {
		h ^= maphash.String(x.seed, k.name)
	}
	return &x.buckets[h%buckets]
}

// get gives the row of a key, nil if it is not known.
func (x *index) get(k *key) *row {
	for e := x.bucket(k).Load(); e != nil; e = e.next.Load() {
		if e.key == *k {
			return e.row
		}
	}
	return nil
}

// put makes a key lead to a row. When the index is full, it forgets all first:
// what is asked for again is found again by the table.
func (x *index) put(k key, r *row) {
	x.remove(k)
	if x.entries == maxEntries {
		x.clear()
	}
	b := x.bucket(&k)
	e := &entry{key: k, row: r}
	e.next.Store(b.Load())
	b.Store(e)
	x.entries++
}

func (x *index) remove(k key) {
	for at := x.bucket(&k); ; {
		e := at.Load()
		if e == nil {
			return
		}
		if e.key == k {
			at.Store(e.next.Load())
			x.entries--
			return
		}
		at = &e.next
	}
}

func (x *index) clear() {
	for i := range x.buckets {
		x.buckets[i].Store(nil)
	}
	x.entries = 0
}
