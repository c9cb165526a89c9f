package transaction

// attachment is what somebody keeps with a transaction.
type attachment struct{ key, value any }

// Attach keeps a value with the transaction until that is over. The key is the owner's: a pointer, or a type of its own.
func (x *Exchange) Attach(key, value any) {
	for i := range x.attached {
		if x.attached[i].key == key {
			x.attached[i].value = value
			return
		}
	}
	x.attached = append(x.attached, attachment{key, value})
}

// Attachment returns the value that was attached by a key; nil if none was.
func (x *Exchange) Attachment(key any) any {
	for i := range x.attached {
		if x.attached[i].key == key {
			return x.attached[i].value
		}
	}
	return nil
}

// Imply says that the script has not asked for the transaction: another function needed one, such as create_dialog(). What
// Relay does is then what it does where there is none.
func (x *Exchange) Imply() { x.implied = true }
