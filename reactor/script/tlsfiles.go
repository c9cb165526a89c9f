package script

import (
	"net/netip"
	"slices"
	"strings"

	"sipreactor/tlsstate"
)

// TLSFiles are files of TLS that are not a domain's, by their paths.
type TLSFiles struct {
	// TicketKeys is ticket_keys_file, "" none. TLS.TicketKeys has what it held
	// at Load; a reload reads it again, by tlsstate.ReadTicketKeys, so that keys
	// can be changed under way.
	TicketKeys string
	// KeyLog is ssl_keylog_file, "" none: whoever runs the configuration opens it by
	// tlsstate.OpenKeyLog for TLS.KeyLog and warns that secrets are written.
	// TLS.KeyLogFilter has ssl_keylog_filter.
	KeyLog string
}

// setTicketKeys reads the keys at once: a node that could not resume what the
// others do shall not start.
func setTicketKeys(c *settings, file string) string {
	keys, err := tlsstate.ReadTicketKeys(file)
	if err != nil {
		return "cannot be used: " + strings.TrimLeft(strings.TrimPrefix(err.Error(), "ticket_keys_file"), ": ")
	}
	c.TLSFiles.TicketKeys, c.TLS.TicketKeys = file, keys
	return ""
}

func setKeyLog(c *settings, file string) string {
	if file == "" {
		return "needs the path of a file"
	}
	c.TLSFiles.KeyLog = file
	return ""
}

func setKeyLogFilter(c *settings, s string) string {
	nets, bad := networks(s)
	if nets == nil {
		return "is a comma list of addresses and networks; " + clip(bad) + " is none"
	}
	c.TLS.KeyLogFilter = func(peer netip.AddrPort) bool {
		a := peer.Addr().Unmap()
		return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(a) })
	}
	return ""
}

// networks reads a comma list of addresses and networks; nil and what is
// none of them otherwise.
func networks(s string) (nets []netip.Prefix, bad string) {
	for _, p := range splitComma(s) {
		n, err := netip.ParsePrefix(p)
		if a, single := netip.ParseAddr(p); single == nil {
			n, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, p
		}
		nets = append(nets, n.Masked())
	}
	return nets, ""
}
