// Package clusterer is OpenSIPS' module clusterer on a node that is alone: it knows the
// clusters that it belongs to and their nodes, by parameters or a table, holds sharing tags,
// and tells the script that no other node can be reached, as there when all others are
// down. Nodes do not speak to each other.
package clusterer
