// Package auth_db is the module auth_db: credentials of users from a table such as subscriber, or from a file.
//
// Each check asks the database, which others do not wait for. users_file (ours) is for a box without a database: lines
// "user:realm:HA1", as htdigest writes them, or "user:realm:algorithm:HA1"; the file must be readable by its owner alone
// (0600), and is read again when it has changed.
//
// # Not as in OpenSIPS
//
// A column of load_credentials that the table does not have gives NULL. A user without a hash of the credentials'
// algorithm is a wrong password, and no error of the server.
package auth_db
