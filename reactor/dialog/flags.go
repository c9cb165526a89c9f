package dialog

// Flag is what a dialog does by itself.
type Flag uint16

// Flags returns what the dialog does by itself.
func (d *Dialog) Flags() Flag {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flags
}

// AddFlags has it do more.
func (d *Dialog) AddFlags(f Flag) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flags |= f
	d.change()
}

// ScriptFlag reports whether flag n of the script is set.
func (d *Dialog) ScriptFlag(n uint) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.script&(1<<n) != 0
}

// SetScriptFlag sets or clears flag n of the script and returns what it was.
func (d *Dialog) SetScriptFlag(n uint, on bool) (was bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	was = d.script&(1<<n) != 0
	if on {
		d.script |= 1 << n
	} else {
		d.script &^= 1 << n
	}
	d.change()
	return was
}

// TestFlag changes flag n of the script if it is as told. It reports whether it was.
func (d *Dialog) TestFlag(n uint, is bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if (d.script&(1<<n) != 0) != is {
		return false
	}
	d.script ^= 1 << n
	d.change()
	return true
}
