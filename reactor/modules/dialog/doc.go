// Package dialog is the module dialog: it follows the calls that create_dialog() has kept, and ends them when their time
// is over. The calls are in package reactor/dialog.
//
// An INVITE's transaction tells what becomes of it. Later requests find their dialog behind loose_route(), by the did
// parameter of our Route or, as dlg_match_mode says, by Call-ID and tags. That alone changes nothing of the dialog: what a
// request says counts once the script sends it on, or answers it with a 2xx. Until then $DLG_status and $DLG_end_reason
// read as they will be. Requests of our own, BYEs and pings, go by
// module tm; what a party sends behind them gets a CSeq of its own on the way, and its answer the old one.
//
// While the database is away, calls go on in memory. Which of them have ended is kept in state_dir, so that another life of
// the program does not take their rows for calls, and so are those that the database has not taken when it was to: with
// db_mode 1 within a second, with 2 every db_update_period, with any at the end. A program that is killed and started again has
// them, with the database or without, and reads the other dialogs once that is back. What changed behind the last try is lost
// by a kill, as without an outage. A stop waits for the database for 5 s.
//
// # Not as in OpenSIPS
//
//   - The did carries a MAC. It is not taken for another Call-ID or other tags.
//   - The CSeq of our own requests is above the highest that was seen, not the last.
//   - dlg_end_dlg sends BYE to every callee that has answered, that of a fork which lost included.
//   - dlg_db_sync reads the dialogs that are not here; of one that is, memory knows more than its row. dlg_restore_db writes
//     those without their ACK, too.
//   - Ended dialogs are found and listed for four seconds, or delete_delay.
//   - What is shared by a cluster or a NoSQL database is refused; profiles with /s and /b are counted here alone.
package dialog
