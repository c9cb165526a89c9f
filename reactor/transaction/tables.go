package transaction

// inviteClient is RFC 3261 figure 5 with RFC 6026 8.4, and the CANCEL of 9.1 and 16.8.
//
//	          Start              1xx                 2xx
//	Idle ───────────► Calling ─────────► Proceeding ─────► Accepted ── M ──► Terminated
//	                     │ │ 2xx ──────────────────────────► ▲ ▲ ▲
//	                     │ │ 300-699: ACK    │ │ │ 300-699    │ │ │
//	                     │ └──────────► Completed ◄─┘ │       │ │ │   D
//	                     │                ▲ ▲ ▲       │Cancel │ │ │ ─────► Terminated
//	                   B │                │ │ └── Canceling ──┘ │
//	                     ▼                │ │         │         │
//	                 Unheard              │ │         │ 64*T1   │
//	                     │ 1xx            │ │         ▼         │
//	                     └──────────────► Abandoned ────────────┘
//	                    Proceeding ─ C ─►
//
// Calling waits for fr_timeout (B), Proceeding for fr_inv_timeout (C). A CANCEL waits for the first provisional
// response: that is its sender's matter. Canceling lasts for 64*T1, or for what there is of C if that is less. In Abandoned
// the user has its timeout already: a final response that still comes is acknowledged and, if it is a 2xx, passed on. So it
// has in Unheard, which is what fr_timeout leaves of timer B: who rings only then is canceled (9.1), and a 2xx is for the
// user to judge.
var inviteClient = [states][events]transition{
	Idle: {
		Start: {Calling, SendRequest, begin, noAnswer},
	},
	Calling: {
		ResendTimer:    {Calling, SendRequest, double, asItIs},
		Provisional:    {Proceeding, PassUp, stop, noFinal},
		Success:        {Accepted, PassUp, stop, linger64},
		Failure:        {Completed, SendAck | PassUp, stop, lingerD},
		LifeTimer:      {Unheard, TimeOut, stop, restOfB},
		TransportError: {Terminated, Unreachable, stop, forever},
	},
	Unheard: {
		Provisional: {Abandoned, SendCancel, keep, giveUp},
		Failure:     {Completed, SendAck, keep, lingerD},
		LifeTimer:   {Terminated, 0, stop, forever},
	},
	Proceeding: {
		Provisional:    {Proceeding, PassUp, keep, noFinal},
		Success:        {Accepted, PassUp, keep, linger64},
		Failure:        {Completed, SendAck | PassUp, keep, lingerD},
		Cancel:         {Canceling, SendCancel, keep, giveUp},
		LifeTimer:      {Abandoned, SendCancel | TimeOut, keep, giveUp},
		TransportError: {Terminated, Unreachable, stop, forever},
	},
	Canceling: {
		Provisional: {Canceling, PassUp, keep, asItIs},
		Success:     {Accepted, PassUp, keep, linger64},
		Failure:     {Completed, SendAck | PassUp, keep, lingerD},
		LifeTimer:   {Abandoned, TimeOut, keep, giveUp},
	},
	Abandoned: {
		Success:   {Accepted, PassUp, keep, linger64},
		Failure:   {Completed, SendAck, keep, lingerD},
		LifeTimer: {Terminated, 0, stop, forever},
	},
	Completed: {
		Failure:   {Completed, SendAck, keep, asItIs},
		LifeTimer: {Terminated, 0, stop, forever},
	},
	Accepted: {
		Success:   {Accepted, PassUp, keep, asItIs},
		LifeTimer: {Terminated, 0, stop, forever},
	},
}

// client is RFC 3261 figure 6. A CANCEL of ours is one, too.
//
//	          Start             1xx                200-699
//	Idle ───────────► Trying ─────────► Proceeding ────────► Completed ── K ──► Terminated
//	                    │ 200-699 ──────────│──────────────────► ▲
//	                    └─ F, cannot send ──┴─► Terminated
var client = [states][events]transition{
	Idle: {
		Start: {Trying, SendRequest, begin, noAnswer},
	},
	Trying: {
		ResendTimer:    {Trying, SendRequest, slower, asItIs},
		Provisional:    {Proceeding, PassUp, slow, asItIs},
		Success:        {Completed, PassUp, stop, lingerT4},
		Failure:        {Completed, PassUp, stop, lingerT4},
		LifeTimer:      {Terminated, TimeOut, stop, forever},
		TransportError: {Terminated, Unreachable, stop, forever},
	},
	Proceeding: {
		ResendTimer:    {Proceeding, SendRequest, slow, asItIs},
		Provisional:    {Proceeding, PassUp, keep, asItIs},
		Success:        {Completed, PassUp, stop, lingerT4},
		Failure:        {Completed, PassUp, stop, lingerT4},
		LifeTimer:      {Terminated, TimeOut, stop, forever},
		TransportError: {Terminated, Unreachable, stop, forever},
	},
	Completed: {
		LifeTimer: {Terminated, 0, stop, forever},
	},
}

// inviteServer is RFC 3261 figure 7 with RFC 6026 8.7. The 100 goes out with the first request, so there is no wait
// for the transaction user's.
//
//	          Start                2xx
//	Idle ───────────► Proceeding ───────────────────────► Accepted ── L ──► Terminated
//	                   │ │ 2xx of ours              ACK    ▲
//	                   │ └───────────► Repeating ──────────┘
//	                   │                  └─ 64*T1 ─► Terminated
//	                   │ 300-699                ACK
//	                   └─────────────► Completed ───► Confirmed ── I ──► Terminated
//	                                      └─ H, cannot send ─► Terminated
//
// A 2xx of ours is sent by the transaction user until its ACK has come, over any transport since the client may be hops
// away (13.3.1.4): Repeating is that part of the user.
//
// A 2xx that crosses our own final response is passed on in Completed and Confirmed, too (16.7 item 5): it is a fork's,
// and its caller has to hear of it.
var inviteServer = [states][events]transition{
	Idle: {
		Start: {Proceeding, 0, keep, forever},
	},
	Proceeding: {
		Repeat:         {Proceeding, SendResponse, keep, asItIs},
		Provisional:    {Proceeding, SendResponse, keep, asItIs},
		Success:        {Accepted, SendResponse, keep, linger64},
		OwnSuccess:     {Repeating, SendResponse, begin, linger64},
		Failure:        {Completed, SendResponse, begin, linger64},
		TransportError: {Terminated, Unreachable, stop, forever},
	},
	Completed: {
		Repeat:         {Completed, SendResponse, keep, asItIs},
		Success:        {Completed, SendResponse, keep, asItIs},
		ResendTimer:    {Completed, SendResponse, slower, asItIs},
		Acknowledged:   {Confirmed, 0, stop, lingerT4},
		LifeTimer:      {Terminated, TimeOut, stop, forever},
		TransportError: {Terminated, Unreachable, stop, forever},
	},
	Confirmed: {
		Success:   {Confirmed, SendResponse, keep, asItIs},
		LifeTimer: {Terminated, 0, stop, forever},
	},
	Accepted: {
		Success:        {Accepted, SendResponse, keep, asItIs},
		Acknowledged:   {Accepted, PassUp, keep, asItIs},
		TransportError: {Accepted, Unreachable, keep, asItIs},
		LifeTimer:      {Terminated, 0, stop, forever},
	},
	Repeating: {
		Success:        {Repeating, SendResponse, keep, asItIs},
		ResendTimer:    {Repeating, SendResponse, slower, asItIs},
		Acknowledged:   {Accepted, PassUp, stop, asItIs},
		TransportError: {Repeating, Unreachable, keep, asItIs},
		LifeTimer:      {Terminated, TimeOut, stop, forever},
	},
}

// server is RFC 3261 figure 8, with RFC 4320: an answer that never came is not made up.
//
//	          Start            1xx                200-699, GiveUp
//	Idle ───────────► Trying ────────► Proceeding ───────────────► Completed ── J ──► Terminated
//	                    │ 200-699, GiveUp ─────────────────────────► ▲ └─ cannot send ─► Terminated
var server = [states][events]transition{
	Idle: {
		Start: {Trying, 0, keep, forever},
	},
	Trying: {
		Provisional: {Proceeding, SendResponse, keep, asItIs},
		Success:     {Completed, SendResponse, keep, lingerWait},
		Failure:     {Completed, SendResponse, keep, lingerWait},
		GiveUp:      {Completed, 0, keep, lingerWait},
	},
	Proceeding: {
		Repeat:         {Proceeding, SendResponse, keep, asItIs},
		Provisional:    {Proceeding, SendResponse, keep, asItIs},
		Success:        {Completed, SendResponse, keep, lingerWait},
		Failure:        {Completed, SendResponse, keep, lingerWait},
		GiveUp:         {Completed, 0, keep, lingerWait},
		TransportError: {Terminated, Unreachable, stop, forever},
	},
	Completed: {
		Repeat:         {Completed, SendResponse, keep, asItIs},
		TransportError: {Terminated, Unreachable, stop, forever},
		LifeTimer:      {Terminated, 0, stop, forever},
	},
}
