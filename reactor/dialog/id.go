package dialog

import (
	"encoding/binary"
	"strconv"
	"strings"

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

// ParseID reads an ID.
func ParseID(text string) (id ID, ok bool) {
	number, check, ok := strings.Cut(text, ".")
	if !ok {
		return id, false
	}
	n, err := strconv.ParseUint(number, 16, 32)
	if err != nil {
		return id, false
	}
	c, err := strconv.ParseUint(check, 16, 32)
	if err != nil {
		return id, false
	}
	return ID{uint32(n), uint32(c)}, true
}

// seal makes the ID of a number. The MAC is SipHash, of which half is enough: who guesses has one try a request.
func (t *Table) seal(number uint32) ID {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], number)
	return ID{Number: number, Check: uint32(siphash.Hash(t.k0, t.k1, b[:])) & (1<<31 - 1)}
}
