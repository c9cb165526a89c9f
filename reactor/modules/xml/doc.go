// Package xml is OpenSIPS' module xml: documents of the script, $xml(name/path), which are
// read, searched and changed element by element.
//
// A document is what a message has made of it: it begins without any and ends with
// them. OpenSIPS keeps them in its process for ever; a script that fills a document
// before it reads it, as the documentation asks for, cannot tell the difference.
//
// What is no element is kept as it came, blanks and line ends included; comments,
// instructions and document types are left out. Nothing is looked up: no entity but the
// five that XML itself has.
package xml
