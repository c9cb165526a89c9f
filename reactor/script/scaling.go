package script

// scalingUsage is what stands behind auto_scaling_profile=NAME. It may go over
// several lines; the second part may be left out.
const scalingUsage = "scale up to N on N% for N cycles [within N] scale down to N on N% for N cycles"

// scaling reads the rest of an auto_scaling_profile. What it says does nothing
// here, but it has to be what it would be there.
func (p *parser) scaling() {
	if !p.word("scale") {
		p.wrong(p.peek(), scalingUsage)
		return
	}
	for _, way := range []string{"up", "down"} {
		if !p.word("scale") {
			return
		}
		p.next()
		if !p.scalingStep(way) {
			p.resync()
			return
		}
	}
}

// scalingStep reads what stands behind scale.
func (p *parser) scalingStep(way string) bool {
	for _, word := range []string{way, "to", "#", "on", "#", "%", "for", "#", "cycles"} {
		t := p.peek()
		ok := t.kind == tokIdent && t.text == word
		switch word {
		case "#":
			ok = t.kind == tokNumber
		case "%":
			ok = t.kind == tokMod
		}
		if !ok {
			p.wrong(t, scalingUsage)
			return false
		}
		p.next()
	}
	if way == "up" && p.word("within") {
		p.next()
		if _, ok := p.expect(tokNumber, ", the cycles: "+scalingUsage); !ok {
			return false
		}
	}
	return true
}

// memoryGroup reads what stands behind mem-group = "name": its modules.
func (p *parser) memoryGroup() {
	if !p.accept(tokColon) {
		return
	}
	for p.peek().kind == tokString {
		p.next()
	}
}
