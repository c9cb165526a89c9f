package listener

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Ports are bound sockets that keep the ports which the kernel chose until others have them. One
// goroutine; the zero value has none.
type Ports []int

// Choose has the kernel choose a stream listener's port if that is 0.
func (h *Ports) Choose(c *Config) error {
	if c.Datagrams || c.Inherited != nil || c.Addr.Port() != 0 {
		return nil
	}
	fd, err := c.Bind()
	if err == nil {
		*h = append(*h, fd)
		err = c.TakePort(fd)
	}
	if err != nil {
		return fmt.Errorf("no port at %v: %w", c.Addr.Addr(), err)
	}
	return nil
}

// Free closes the sockets.
func (h *Ports) Free() {
	for _, fd := range *h {
		unix.Close(fd)
	}
	*h = nil
}
