package transaction

// Attach keeps a value with the transaction until that is over. The key is the owner's: a pointer, or a type of its own.
func (x *Exchange) Attach(key, value any) { x.attached.Set(key, value) }

// Attachment returns the value that was attached by a key; nil if none was.
func (x *Exchange) Attachment(key any) any { return x.attached.Get(key) }

// Imply says that the script has not asked for the transaction: another function needed one, such as create_dialog(). What
// Relay does is then what it does where there is none.
func (x *Exchange) Imply() { x.implied = true }
