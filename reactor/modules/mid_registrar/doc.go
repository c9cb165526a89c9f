// Package mid_registrar is the module mid_registrar: phones register with us, and we register with a main registrar for
// them. A REGISTER that mid_registrar_save() returns 1 for is relayed by t_relay(), with Contacts that lead to us; the
// location table gets what the main registrar says in its 2xx. One that it returns 2 for was answered here.
//
// There are three modes. 0 (mirroring): every REGISTER is relayed, and expiries are the phone's. 1 (contact throttling): a
// contact is registered for outgoing_expires, and refreshed there only when the phone would outlive that. 2 (AOR
// throttling): so is the address of record, with one Contact for all phones. What a contact of modes 1 and 2 leaves behind
// at the main registrar when it is over here is removed by a REGISTER of ours.
//
// Contacts towards the main registrar have our address on the side that the REGISTER leaves by, and in modes 0 and 1 the ID
// of the contact, which mid_registrar_lookup() finds it by; in mode 2 the address of record is their user. IDs begin at a
// random number in each life of the program: one of an earlier life means nothing, unless usrloc has restored the contact
// from its database. How a contact stands at the main registrar is kept with it, in usrloc's column kv_store.
//
// # Who is trusted
//
// A REGISTER that is absorbed was not seen by the main registrar: whoever is to be asked for credentials has to be asked by
// the script. So a refresh is absorbed only if it comes from where the contact registered from; from elsewhere it is
// relayed. In mode 2 any contact of a user that is registered is absorbed, as documented, unless absorb_new_contacts (ours)
// is 0.
//
// # Not as in OpenSIPS
//
//   - A REGISTER that is wrong is answered here, and the function returns -1; what the script answers then is not sent.
//   - Path is left out of what is relayed if a path flag stores it; reg-id always is, as the flow ends here. Of Require
//     the options are left out that are served here (path, outbound, gruu); a REGISTER with another one is not absorbed:
//     the main registrar decides about that.
//   - In mode 0 mid_registrar_lookup() finds the one contact too, if the URI has its ID.
//   - "*" is relayed as it is in modes 0 and 1.
package mid_registrar
