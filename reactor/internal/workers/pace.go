package workers

// pace measures what an item takes a shard.
type pace struct {
	began int64 // when what is under way was; 0 = nothing is
	spent int64
	count int
	cost  int64 // on average, in ns; 0 = not known
}

// paceOver is how many items make a measurement.
const paceOver = 64

func (p *pace) begin(now int64, n int) {
	p.began = now
	p.count += n
}

// rest notes the end of what was begun and returns the cost of an item.
func (p *pace) rest(now int64) int64 {
	if p.began != 0 {
		p.spent += now - p.began
		p.began = 0
	}
	if p.count >= paceOver {
		one := max(p.spent/int64(p.count), 1)
		if p.cost == 0 {
			p.cost = one
		}
		p.cost += (one - p.cost) / 4
		p.spent, p.count = 0, 0
	}
	return p.cost
}
