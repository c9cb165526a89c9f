// Package tm is OpenSIPS' module tm: it makes transactions of requests, for the language. What a transaction is and does
// is package transaction's; here are its functions, variables, parameters, commands and statistics, and the routes that a
// transaction runs.
//
// # As there
//
// These are odd, and scripts rely on them. t_relay() returns 1 where it has answered a failure of all branches itself; with
// "no-auto-477", or behind t_newtran(), it returns its negative code and answers nothing. In a failure_route a socket that
// the script has forced ($socket_out, force_send_socket()) holds, one that dispatcher or drouting chose does not; $ru is the
// Request-URI as it came and $du is NULL, whatever the request route and the branch route wrote, while headers that the
// request route added or removed stay so; append_msg_branch() and t_relay() send two branches, that of $ru being one. A
// branch_route that was armed stays armed for the retry, a failure_route does not. drop in an onreply_route keeps a
// provisional response, and does nothing to a final one. A retransmission ends the script in t_newtran(), t_relay(),
// t_reply() and t_check_trans(). exit in a branch_route sends the branch. A branch's onreply_route runs before that of the
// transaction.
//
// # Otherwise than there
//
// A timer never goes off early. A branch whose connection fails with its request fails with it, at once; one whose peer's
// TCP had acknowledged the request waits for its timer: the peer may answer over another connection (RFC 3261 18.2.2), and
// what is sent again would ring twice. A script that makes a transaction and does nothing with it is answered for with 500. A CANCEL's Reason is passed on;
// one that belongs to no transaction goes on without one, by the branch of its INVITE if that had none, either (RFC 3261 16.10). A request that is no INVITE and was
// not answered is not answered 408, unless the script does (RFC 4320). Challenges of several branches go up together. A
// peer's 503 goes up as a 500 of ours. A callee that rings behind fr_timeout only is canceled, so that it does not ring beside the next
// one. One that answers then is heard as long as the caller has no final response; behind that its 2xx is dropped (RFC 6026), and ended by module dialog if the call has one. t_add_hdrs() is in forwarded requests, too. Max-Forwards is counted by t_relay(),
// and Max-Breadth divided among branches, 440 where there is not enough. A 2xx of the script's to an INVITE goes out again
// until its ACK has come, over reliable transports, too. In a failure_route a request that has Routes left goes by those,
// unless the script says otherwise, though $du is NULL. The ACK to a 2xx of another's is none of the transaction's, also
// where a client gives it the branch of its INVITE. What local_request_route and local_reply_route do sends nothing.
// An error_route, and routes without a message, have no transaction: what asks for one is an error at load.
package tm
