package reactor

import (
	"fmt"
	"reflect"
	"time"
)

// maxLoops is more than any machine has processors to give them.
const maxLoops = 256

// checkNumbers tells of a number or time below 0, which no field takes, and of what is beyond its bound.
func (c *Config) checkNumbers() error {
	if name := negative(reflect.ValueOf(c).Elem()); name != "" {
		return fmt.Errorf("reactor: %s is below 0", name)
	}
	switch {
	case c.Loops > maxLoops:
		return fmt.Errorf("reactor: Loops is %d: it takes up to %d, and 0 for half the cores", c.Loops, maxLoops)
	case c.Lifetime < time.Second || c.Lifetime%time.Second != 0:
		return fmt.Errorf("reactor: Lifetime is %v: it takes whole seconds, at least one", c.Lifetime)
	}
	for _, n := range []struct {
		name  string
		value int
	}{
		{"QueueFrames", c.QueueFrames}, {"Waiters", c.Waiters}, {"MaxMessageSize", c.MaxMessageSize}, {"MaxConnections", c.MaxConnections},
	} {
		if n.value == 0 {
			return fmt.Errorf("reactor: %s is 0: it takes a number above that; DefaultConfig has one", n.name)
		}
	}
	return nil
}

// negative returns the name of the first number below 0 in what v is or holds, such as "TLS.SendTimeout"; "" there is none.
// Pointers, slices and interfaces are not looked into.
func negative(v reflect.Value) string {
	for i := range v.NumField() {
		field, name := v.Field(i), v.Type().Field(i).Name
		if field.CanInt() && field.Int() < 0 {
			return name
		}
		if field.Kind() == reflect.Struct {
			if inner := negative(field); inner != "" {
				return name + "." + inner
			}
		}
	}
	return ""
}
