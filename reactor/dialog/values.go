package dialog

// Value is one that a script keeps with a dialog.
type Value struct {
	Name  string
	Text  string
	Int   int64
	IsInt bool
}

// Set keeps a value. It reports false when there is no room for another.
func (d *Dialog) Set(v Value) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.values {
		if d.values[i].Name == v.Name {
			d.values[i] = v
			d.change()
			return true
		}
	}
	if len(d.values) == maxValues {
		return false
	}
	d.values = append(d.values, v)
	d.change()
	return true
}

// Unset takes a value away.
func (d *Dialog) Unset(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.values {
		if d.values[i].Name == name {
			d.values = append(d.values[:i], d.values[i+1:]...)
			d.change()
			return
		}
	}
}

// Get returns a value.
func (d *Dialog) Get(name string) (Value, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range d.values {
		if v.Name == name {
			return v, true
		}
	}
	return Value{}, false
}

// Attach keeps something of a module's with the dialog, by the module's key.
func (d *Dialog) Attach(key, value any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.attached.Set(key, value)
}

// Attachment returns what was attached by a key; nil if nothing was.
func (d *Dialog) Attachment(key any) any {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.attached.Get(key)
}
