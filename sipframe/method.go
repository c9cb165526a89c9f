package sipframe

// Method is a request method. Names of methods are case-sensitive (RFC 3261
// section 7.1).
type Method uint8

// The methods that are known. OtherMethod is any token besides them; see
// Message.MethodName.
const (
	OtherMethod Method = iota
	INVITE
	ACK
	BYE
	CANCEL
	OPTIONS
	REGISTER
	PRACK     // RFC 3262
	SUBSCRIBE // RFC 6665
	NOTIFY    // RFC 6665
	PUBLISH   // RFC 3903
	INFO      // RFC 6086
	REFER     // RFC 3515
	MESSAGE   // RFC 3428
	UPDATE    // RFC 3311
	numMethods
)

var methodNames = [numMethods]string{
	OtherMethod: "", INVITE: "INVITE", ACK: "ACK", BYE: "BYE", CANCEL: "CANCEL",
	OPTIONS: "OPTIONS", REGISTER: "REGISTER", PRACK: "PRACK", SUBSCRIBE: "SUBSCRIBE",
	NOTIFY: "NOTIFY", PUBLISH: "PUBLISH", INFO: "INFO", REFER: "REFER",
	MESSAGE: "MESSAGE", UPDATE: "UPDATE",
}

// String gives the name, "" for OtherMethod.
func (m Method) String() string {
	if m < numMethods {
		return methodNames[m]
	}
	return ""
}

// MethodOf gives the method with that name.
func MethodOf(name []byte) Method {
	if len(name) < 3 {
		return OtherMethod
	}
	var m Method
	switch name[0] {
	case 'I':
		if m = INVITE; len(name) == 4 {
			m = INFO
		}
	case 'A':
		m = ACK
	case 'B':
		m = BYE
	case 'C':
		m = CANCEL
	case 'O':
		m = OPTIONS
	case 'R':
		if m = REGISTER; len(name) == 5 {
			m = REFER
		}
	case 'P':
		if m = PRACK; len(name) == 7 {
			m = PUBLISH
		}
	case 'S':
		m = SUBSCRIBE
	case 'N':
		m = NOTIFY
	case 'M':
		m = MESSAGE
	case 'U':
		m = UPDATE
	}
	if string(name) != methodNames[m] {
		return OtherMethod
	}
	return m
}
