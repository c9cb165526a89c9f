package script

import (
	"net/netip"
	"slices"
	"strings"

	"sipreactor/sipframe"
	"sipreactor/tlsstate"
)

// maxPeers bounds Config.Peers.
const maxPeers = 256

// destinationFunctions take a destination or a URI that requests are sent to.
var destinationFunctions = map[string]bool{"forward": true, "send": true, "seturi": true, "setdsturi": true}

// destinationVariables are set to one.
var destinationVariables = map[string]bool{"du": true, "ru": true}

// namePeer notes a destination that stands in the configuration as it is.
func (c *settings) namePeer(dest string) {
	if strings.Contains(dest, "$") || len(c.Peers) >= maxPeers {
		return
	}
	host := dest
	if scheme, rest, ok := strings.Cut(dest, ":"); ok {
		switch strings.ToLower(scheme) {
		case "sip", "sips":
			var u sipframe.URI
			if sipframe.ParseURI([]byte(dest), &u) != nil {
				return
			}
			host = string(u.Host.In([]byte(dest)))
			if u.Port > 0 {
				host += ":" + itoa(int(u.Port))
			}
		case "tls", "tcp", "udp", "ws", "wss":
			host = rest
		}
	}
	host = strings.ToLower(host)
	name, _, found := strings.Cut(host, ":")
	_, err := netip.ParseAddr(name)
	if found && err != nil && !strings.HasPrefix(host, "[") {
		host = name // a domain is a peer whatever the port
	}
	if host != "" && !strings.ContainsAny(host, "*;<> \t") && !slices.Contains(c.Peers, host) {
		c.Peers = append(c.Peers, host)
	}
}

// namePeers notes the peers that client domains match.
func (c *settings) namePeers() {
	for i := range c.TLS.Domains {
		d := &c.TLS.Domains[i]
		if d.Role != tlsstate.Client {
			continue
		}
		for _, list := range [][]string{d.MatchSIPDomains, d.MatchAddresses} {
			for _, name := range list {
				c.namePeer(name)
			}
		}
	}
}
