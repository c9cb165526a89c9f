// Package reactor is the engine: it accepts and opens connections, drives TLS
// without blocking, frames SIP messages and hands them to workers, and writes
// what they send. An embedder gives it a Config and a Handler (what to do with a
// message), and perhaps an Observer (what happens to connections).
//
// # Who owns what
//
// A loop owns sockets: on an established connection only its loop reads,
// decrypts, frames, encrypts and writes, without a lock. While it sleeps another
// loop may be in its place, to write what that has for one of its connections
// (scheduler.Enter), and where there are several with little to do, the first one does
// on its goroutine what there is to be done for all (scheduler.Company). A handshaker
// owns a connection's TLS machine while one step of its handshake is computed; while a
// private key signs elsewhere, nobody computes. The connect queue owns sockets
// whose connect is under way. A worker owns messages: those of a Call-ID go
// through one shard in order, and before a worker waits, a follower takes its
// shard over. The send queue of a connection takes messages from any goroutine;
// the first one wakes the loop, which seals what is there together and writes it
// with one system call.
//
// What is short need not change hands: a loop may run the Handler itself, and
// steps of handshakes, each for a bounded time (Config.Inline and
// Config.InlineHandshake).
//
// A panic ends what it was over: a message of the Handler's, which that may answer
// (Recoverer), a connection or a datagram on a loop, a handshake, an event of the
// Observer's. Each is a line with its stack, and counted. A fault of a loop's own
// schedule, or while a shard's lead is borrowed, ends the process: who waits there
// would wait for ever, and nobody would see it.
//
//	            accept              frames of one read           Handler
//	socket ---> poller.Loop ------> shard by Call-ID ----------> Worker
//	            |  ^  decrypt, frame (flow)                       | Send
//	  handshake |  | established                                  v
//	            v  |                                    index: who serves the target?
//	        handshakers          connectqueue <--- dial --- none |  | one
//	                                |  connected                 |  v
//	                                +--> poller.Adopt ---> loop  |  sendqueue.Queue
//	                                                             |  | wake-up
//	                          Undelivered <--- connection <------+  v
//	                                             ^            loop: seal, write (flow)
//	                                             +-- sendqueue.Unacknowledged, until TCP has it
//
// # The map of rooms
//
// Rooms are internal packages. None imports the engine, and what they import of
// each other runs one way: most stand alone, only the scheduler and those that have a
// connection's socket know the poller, and of the large ones
//
//	reactor -> loops -> flow, dialing, dispatch -> connection -> message
//
// Sockets and loops:
//
//	loops        what a loop does when it is told something, and what loops share
//	poller       event loops: all of gnet, and all that works around it
//	listener     sockets that are listened on, and those of datagrams
//	standin      what poses as a socket, so that gnet watches it
//	watch        sockets that no loop watches, or is not told of
//	datagrams    who sent one, several by one system call, the end of sending
//	kernel       what Linux is asked about sockets
//	scheduler    when a loop serves, defers a wake-up, computes, yields, sleeps
//	admission    when a loop has too much, and what it refuses then
//
// A connection, with what can be asked of it, and what is done with it:
//
//	message      where messages come from and go to, in the words of those who embed the engine
//	event        what happens to connections, in the same
//	connection   one, its end, and what all of an engine have in common
//	dialing      which one serves a send; how one is opened, waited for, left alone
//	flow         what its loop does with it: handshakes, reads, writes, waits, closes
//
// What it has, in the order of its life:
//
//	phase        its life as a table, and why it ends
//	codec        TLS, plain TCP and WebSocket's opening handshake, driven by the same calls
//	websocket    that handshake, and the frames behind it
//	handshakes   a handshake as a value: who has its machine, what the peer may take and says meanwhile
//	slab         where a loop decrypts into, and in how many pieces that came
//	framing      what cuts that, and what is kept of a message that is not complete
//	reading      whether it is read, and what keeps it from that
//	sendqueue    what waits to be written, is being written, is not acknowledged; for how long that stands still
//	owed         who owes how many answers, and how many may still come
//	deadlines    what it waits for, and one timer for all of it
//
// All connections:
//
//	table        by handle; look-ups without a lock
//	peers        by remote end point, and their aliases; look-ups without a lock
//	reuse        whether who was verified serves a send
//	connectqueue those whose socket no loop has: connects under way, what lingers, what takes no more
//	backoff      destinations that are left alone
//	sourcelimit  what one source may have of all
//	visitors     browsers that have left: nobody is dialled in their place
//	wheel        idle ones by the second they expire in
//
// Messages:
//
//	peek         what a message is and belongs to, before it is parsed
//	dispatch     shards of them, and who runs the Handler: workers, or a loop in their place
//	workers      queues: a leader, followers for when it waits, or a loop in place of both
//
// Words and numbers:
//
//	reason       why a connection ends or is refused, and who is to blame
//	transport    the transports, what is to be known of each, and how its connections behave
//	figures      what is counted, its names, and Stats
//	counters     counts by cause, durations by length
//	connlog      what the log says of connections
//	repeats      a flood of log lines told as one
//	endpoint, ring
//
// Where would you change …
//
//	who may connect                     loops (accept.go, admission.go), admission
//	what one source may have            sourcelimit, source.go; what is said where it has more: loops (common.go), reason (refusal.go)
//	which requests are refused where    peek (urgent.go), loops (admission.go: begins, sift), and how many of
//	there is too much                   them: admission; the answer: proxy (receive.go)
//	what a connection holds             connection; its phases: phase
//	what others see of one              connection (seen.go, conninfo.go), event
//	what the log says of one            connlog
//	how bytes become messages           flow (read.go), slab, framing (and sipframe)
//	what a keep-alive is answered       sipframe (framer.go), flow (read.go), connection (conn.go: Pong); websocket
//	when a connection is not read       flow (hold.go), loops (admission.go), reading
//	which connection serves a send      dialing (send.go), connection (reuse.go, peers.go); reuse, peers (index.go for
//	                                    their order, place.go and alias.go for aliases)
//	when a destination is left alone    backoff, dialing (backoff.go), connection (leftalone.go)
//	how a connect is waited for         dialing (await.go), connectqueue
//	how a handshake is driven           flow (handshake.go), handshakes (and tlsstate)
//	what may wait, and for whom         sendqueue, connection (conn.go: Enqueue, and what is told of one too many),
//	                                    flow (write.go)
//	how the engine starts and stops     engine.go, stop.go, drain.go
//	why and how a connection closes     reason, flow (close.go, half.go), connection (end.go), connectqueue (lingering)
//	how a datagram goes                 loops (datagram.go), datagrams; its sockets and how they are read: listener
//	what is too late                    deadlines, flow (deadline.go, half.go, write.go, unacked.go); how long that is:
//	                                    config.go, transport (streamconfig.go)
//	when a loop sleeps                  scheduler (sleep.go)
//	when one loop does another's work   scheduler (company.go, enter.go); how: poller (attend.go), loops (others.go)
//	who runs the Handler                worker.go, dispatch, workers
//	how a message awaits something      dispatch (place.go, await.go, inline.go), worker.go
//	what a Handler asks others by       line.go
//	which descriptors stay free         kernel (files.go)
//	what is counted, and its names      figures (counters.go, stats.go, all.go)
//	which transports there are          transport, codec, listener; its module: modules/proto_NAME; where a request
//	                                    goes by one: names (query.go), proxy (nexthop.go, large.go)
//
// … and beside the engine
//
//	a core parameter of opensips.cfg           script (globals.go)
//	a core variable, or a transformation       script (*variables.go, corevalues.go, *transforms.go)
//	how long a database is waited for          store (db.go, gate), modules/internal/database; by a REGISTER:
//	                                           modules/usrloc (place.go, flush.go)
//	a function, parameter, variable, MI        modules/NAME (module.go, or NAME.go); a new
//	command, statistic or event of a module    module is its folder, and a line of cmd/sipreactor/modules.go
//	a parameter of TLS domains                 modules/tls_mgm; what it does: tlsstate (domain.go),
//	                                           tlsstate/openssl; its column: store (servicelayouts.go)
//	versions and ciphers of TLS                tlsstate (method.go, cipher.go)
//	what a message may be: headers, lengths    sipframe (message.go for headers, framer.go and cut.go for lengths)
//	which address of a name is tried first     names (answer.go), and after a failure proxy (course.go)
//	a command that the engine answers          mi; how commands are asked and answered: rpc
//	a metric's name besides those of figures   mi (metrics.go, figures.go), proxy and transaction (counters.go)
//	what a transaction does, and a fork        transaction; its package documentation says where
//	what a failure of a next hop leads to      proxy (course.go, undelivered.go); with a transaction: transaction
//	                                           (failover.go); besides, with blacklists: proxy (blacklists.go)
//	whether a destination is up                modules/internal/destination, for all modules that choose one
//	in what order contacts and branches go     location (table.go: ahead), script (serialbranches.go)
//	how a call ends, what we send in it        modules/dialog (end.go)
//	what a trace tells                         hep (tracer.go of connections, message.go; packet.go for chunks); of which
//	                                           messages: script (tracefunctions.go, follow.go)
//	how long a transaction waits               transaction (machine.go: Timing), modules/tm (module.go)
//	a field of accounting                      modules/acc (fields.go; of a CDR: cdr.go)
//	a column of a table                        store (*layouts.go), and who reads it: location (stored.go) for
//	                                           contacts, dialog (stored.go) for calls, else the module
//	what goes along with a message, a call     attached; a panic that ends only that: rescue; Digest: digest; readiness
//	                                           of parts: statusreport; destinations nobody may reach: blacklist
//	what a reload changes                      script (changes.go), cmd/sipreactor (reload.go)
//
// # The life of a message
//
// A loop reads a socket (loops.Loop), the codec decrypts into the loop's slab, the
// framing cuts it (flow): views into the slab, each with a reference. They go to
// the shard of their Call-ID, a response to that of its request, or the loop runs
// the Handler for them (dispatch.Inline). The Handler calls Worker.Send: the index finds
// a connection that serves the target, the Appender writes the message into its send
// queue under the connection's lock, and the loop of that connection is asked to
// flush, which takes a wake-up unless it is about to look anyway. The loop seals the whole queue as
// one batch and writes it; a copy stays until the peer's TCP has acknowledged it. A
// message that Send took is written, or comes back through Handler.Undelivered,
// exactly once.
//
// # The life of a handshake
//
// The loop gives the peer's bytes to the machine (flow) and has the next
// step computed: by itself when it has read what is there, or by a handshaker, if
// steps of that kind turn out to be long. Meanwhile bytes go to an inbox. The peer's
// clock runs only while we wait for its bytes. What a key signs elsewhere comes back
// as a posted event. When the machine says that it is done the connection is
// established, and what came behind the handshake is read at once.
//
// # The life of a dial that is parked
//
// Send finds no connection, and the back-off table has nothing against a new one: it
// is put into the index, so that others find it, with the message as the first of its
// queue, and its connect begins. The sender waits for the local budgets, after a
// follower has its shard; when they are over it goes on, and the message waits with
// the connection. The connect queue is told by its own epoll set that the socket is
// connected and gives it to the loop with the fewest (poller.Adopt), where the
// handshake begins. If it fails, all that waited comes back through Undelivered.
//
// # The life of a reload
//
// SetDomains stores a new snapshot behind an atomic pointer. A connection keeps the
// one it was begun with; the next Send asks the new one which connections serve it.
//
// # Ends
//
// Every connection closes by one path (flow, close.go), with one of a fixed set of reasons
// and the side to blame, and ends at one place (connection, end.go).
//
// # Lock order
//
// A lock is called by the room, or the type, that has it. A -> B: B may be locked while A is.
// Whatever is not here is never held together.
//
//	Engine.Start -> all                      what begins is one goroutine's
//	peers.Index -> connection.Conn           which connection serves a send, or gives its alias up
//	peers.Index -> table, backoff.Table      a connection is begun under the index's lock
//	peers.Index, Conn -> the Appender's own  a message is written into a send queue
//	backoff.Probes -> table, backoff.Table   no probe begins once that is over
//	connectqueue -> connection.Conn          whether what is to be parked was asked to close
//	connectqueue -> workers.Shard            what lingered is given back
//	loops.Common -> workers.Shard, scheduler whether all come round is asked once at a time
//	a loop's turn -> all of these            what is done in its place. The first loop's is held while that
//	                                         takes another's, if that is free: nobody waits for a second one
//	scheduler.Company -> a loop's turn       that of one that is attended to; who has it waits for no lock of a loop's
//	workers.Shard -> scheduler               loops are told that there is room
//	scheduler                                a leaf: post never blocks for long
//
// Neither a connection's lock nor another shard's is taken under a shard's. A connection's
// is taken in package connection alone (seen.go).
//
// A loop takes no lock that is held across a system call which waits. Some are held across
// one that does not: a look at a connection's descriptor, the connect queue's epoll set, the
// sending of a datagram. A worker waits only when a follower leads.
package reactor
