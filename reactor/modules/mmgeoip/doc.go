// Package mmgeoip is OpenSIPS' module mmgeoip: where an address is, by a database of MaxMind's
// format (GeoLite2, GeoIP2 and others of .mmdb). The file is read into memory, and again at a
// reload of the configuration when it is another one.
package mmgeoip
