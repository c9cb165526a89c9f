// Package mathops is OpenSIPS' module mathops: arithmetic with fractions over texts.
package mathops
