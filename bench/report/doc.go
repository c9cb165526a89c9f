// Package report holds what a comparison measured, and shows it: as JSON, as tables for a terminal, as Markdown and as
// an HTML page that needs nothing else.
package report
