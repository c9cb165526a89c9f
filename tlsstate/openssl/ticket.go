//go:build openssl

package openssl

// #include "shim.h"
import "C"

import (
	"time"
	"unsafe"
)

// ticketKeySize is how much key one ticket key of libssl is: its name, the key
// that encrypts and the one that signs.
const ticketKeySize = int(unsafe.Sizeof(C.sc_ticket_key{}))

// ticketUse tells this package's keys from crypto/tls's: neither opens what the
// other has sealed.
const ticketUse = "sipreactor session tickets of libssl"

// refresh gives a server domain the ticket keys of the moment.
func (d *domain) refresh(now time.Time) {
	if d.tickets != nil {
		d.tickets.Refresh(now, d.useTicketKeys)
	}
}

func (d *domain) useTicketKeys(keys [][]byte) {
	all := make([]byte, 0, len(keys)*ticketKeySize)
	for _, k := range keys {
		all = append(all, k...)
		clear(k)
	}
	C.sc_domain_keys(d.held.ctx, (*C.sc_ticket_key)(data(all)), C.int(len(keys)))
	clear(all)
}
