package dialog

import (
	"encoding/binary"
	"strconv"

	"github.com/dchest/siphash"
)

// ID names a dialog: a number, and a MAC of it, so that who invents one finds nothing. Of dialogs that another program has
// stored, many may have one number: the whole ID tells them apart.
type ID struct {
	Number uint32
	Check  uint32
}

// String returns the ID as Record-Route and management show it.
func (id ID) String() string { return string(id.AppendTo(nil)) }

// AppendTo appends that.
func (id ID) AppendTo(dst []byte) []byte {
	dst = strconv.AppendUint(dst, uint64(id.Number), 16)
	return strconv.AppendUint(append(dst, '.'), uint64(id.Check), 16)
}

// Int returns the ID as the column dlg_id has it.
func (id ID) Int() int64 { return int64(id.Number)<<31 | int64(id.Check&(1<<31-1)) }

// IDOfInt reads that.
func IDOfInt(n int64) ID { return ID{Number: uint32(n >> 31), Check: uint32(n & (1<<31 - 1))} }

// hash spreads IDs, of which others have many with one number.
func (id ID) hash() uint64 {
	h := uint64(id.Int()) * 0x9e3779b97f4a7c15
	return h ^ h>>32
}

// ParseID reads an ID.
func ParseID[T string | []byte](text T) (id ID, ok bool) {
	n, rest, ok := hex(text)
	if !ok || len(rest) == 0 || rest[0] != '.' {
		return id, false
	}
	c, rest, ok := hex(rest[1:])
	return ID{n, c}, ok && len(rest) == 0
}

// hex reads a number of 32 bits that a text begins with.
func hex[T string | []byte](text T) (n uint32, rest T, ok bool) {
	for i := range len(text) {
		c := text[i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return n, text[i:], i > 0
		}
		if n>>28 != 0 {
			return 0, rest, false
		}
		n = n<<4 | uint32(c)
	}
	return n, rest, len(text) > 0
}

// seal makes the ID of a number. The MAC is SipHash, of which half is enough: who guesses has one try a request.
func (t *Table) seal(number uint32) ID {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], number)
	return ID{Number: number, Check: uint32(siphash.Hash(t.k0, t.k1, b[:])) & (1<<31 - 1)}
}
