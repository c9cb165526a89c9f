package dispatcher

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

// probing is what the parameters say of pings.
type probing struct {
	interval    time.Duration // 0: there are none
	threshold   int
	mode        int
	maxForwards int // below 0: the usual one
	codes       destination.Codes
	sets        []int // nil: all
	socket      *proxy.SocketName
	send        destination.Pinger // nil: tm is not loaded
}

func newProbing() probing {
	return probing{threshold: 3, maxForwards: -1, codes: destination.Codes{}, socket: proxy.NewSocketName("")}
}

func (p *probing) setSocket(v script.Literal) error {
	p.socket = proxy.NewSocketName(v.Text)
	return nil
}

func (p *probing) setList(v script.Literal) error {
	p.sets = []int{}
	for part := range strings.SplitSeq(v.Text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 0 {
			return errors.New("is no list of sets, separated by commas")
		}
		p.sets = append(p.sets, n)
	}
	return nil
}

// check finds out who sends the pings.
func (p *probing) check(l *script.Loading) {
	p.send = destination.PingerOf(l)
	if p.interval > 0 && p.send == nil {
		l.Notef(l.Place("ds_ping_interval"), "ds_ping_interval does nothing: pings are sent by the module tm, which is not loaded")
	}
}

// due tells whether a destination is pinged.
func (p *probing) due(d *Destination) bool {
	if p.sets != nil && !slices.Contains(p.sets, d.Row.Set) {
		return false
	}
	switch d.Health.State() {
	case destination.Probing:
		return true
	case destination.Active:
		return p.mode == 1 || d.Row.Probe
	default:
		return false
	}
}

// pings lists the pings of a round.
func (m *module) pings() (list []destination.Probe) {
	for _, p := range m.partitions {
		for _, s := range p.get().Sets {
			for _, d := range s.Members {
				if m.probing.due(d) {
					list = append(list, m.ping(p, d))
				}
			}
		}
	}
	return list
}

// ping makes the ping of a destination.
func (m *module) ping(p *partition, d *Destination) destination.Probe {
	socket := d.socket.Find(m.env.Listeners)
	if socket == nil {
		socket = m.probing.socket.Find(m.env.Listeners)
	}
	return destination.Probe{
		Ping:  destination.Ping{Method: p.pingMethod, From: p.pingFrom, URI: d.URI(), Socket: socket, MaxForwards: m.probing.maxForwards},
		Heard: func(code int, err error) { m.heard(p, d, code, err) },
	}
}

// heard takes what became of a ping.
func (m *module) heard(p *partition, d *Destination, code int, err error) {
	now := time.Now()
	why := destination.Told(code, err)
	was := d.Health.State()
	if m.probing.codes.Alive(code, err) {
		if d.Health.Pong(why, now, &m.policy) {
			m.changed(p, d, was, destination.Active, why)
		}
		return
	}
	if d.Health.Miss(m.probing.threshold, why, now) {
		m.changed(p, d, was, destination.Probing, why)
	}
}
