package reactor

import "sipreactor/reactor/internal/figures"

// What an engine counts. The fields are told where the types are:
// go doc sipreactor/reactor/internal/figures.Stats, and so on.
type (
	// Stats is what the engine has counted since it was made, and what it holds: a field
	// for each number.
	Stats = figures.Stats
	// Traffic is what was carried: MessagesIn, MessagesOut, BytesIn, BytesOut. Bytes are
	// those of the sockets, with TLS' overhead; messages are whole ones, pings left out.
	Traffic = figures.Traffic
	// Handshakes are those of one direction: Done by version, Resumed, Failed by reason,
	// and how long they Took.
	Handshakes = figures.Handshakes
	// Histogram counts durations by their length: Bounds, Counts, Sum.
	Histogram = figures.Histogram
	// Figure is a number of Stats, or one for each value of its labels: what those who
	// read it call it (Group, Name, Metric, Help, Labels, NameOf), and Each, which reads it.
	Figure = figures.Figure
)

// Figures are all figures of an engine, in the order in which statistics list them:
// statistics, metrics and pages are made from this table.
var Figures = figures.All
