package websocket

import (
	"bytes"
	"strings"
)

// told are the headers of a handshake that a trace tells: those that say who spoke of what. Cookies and credentials are
// none of them.
var told = map[string]bool{"host": true, "origin": true, "user-agent": true, "server": true, "upgrade": true, "connection": true,
	"x-forwarded-for": true, "content-type": true, "sec-websocket-key": true, "sec-websocket-accept": true, "sec-websocket-protocol": true,
	"sec-websocket-version": true, "sec-websocket-extensions": true}

// Told returns the first line of a request or an answer, without its query, and of its headers those that a trace tells.
func Told(head []byte) string {
	var out strings.Builder
	for i := 0; len(head) > 0; i++ {
		line, rest, _ := bytes.Cut(head, []byte("\r\n"))
		head = rest
		if i == 0 {
			if from, query := bytes.IndexByte(line, '?'), bytes.LastIndexByte(line, ' '); from >= 0 && query > from {
				out.Write(line[:from])
				line = line[query:]
			}
			out.Write(line)
			continue
		}
		name, _, ok := bytes.Cut(line, []byte(":"))
		if ok && told[strings.ToLower(string(name))] {
			out.WriteString("\r\n")
			out.Write(line)
		}
	}
	return out.String()
}
