package slab

// A chunk is one read of the socket that brings fewer than smallRead bytes of a
// message and leaves it incomplete, and each record of fewer than smallRecord
// bytes that leaves it so, however many of them came in a read: a peer that
// shreds messages is the attack that tls_max_msg_chunks is for, one that sizes
// its records by what the path carries is not.
const (
	smallRead   = 1024
	smallRecord = 256
)

// read is one read of plaintext: a TLS record, or what one read of a plain
// socket brought, in pieces.
type read struct {
	end   int // offset behind its last byte
	small bool
}

// Brought reports whether there was plaintext since Begin.
func (s *Slab) Brought() bool { return len(s.reads) > 0 }

// Chunks returns how many chunks came since Begin of a message that starts at from and is
// not complete.
func (s *Slab) Chunks(from int) int {
	n := s.Small(from, len(s.buf.Bytes())+1)
	brought := len(s.buf.Bytes()) - max(from, s.fresh)
	if 0 < brought && brought < smallRead && s.largeBehind(from) {
		n++
	}
	return n
}

// Small returns how many small records brought bytes behind offset from and end before to.
func (s *Slab) Small(from, to int) (n int) {
	for _, r := range s.reads {
		if r.small && from < r.end && r.end < to {
			n++
		}
	}
	return n
}

// largeBehind reports whether a record that is not small brought bytes behind offset from.
func (s *Slab) largeBehind(from int) bool {
	for _, r := range s.reads {
		if !r.small && r.end > from {
			return true
		}
	}
	return false
}
