package conformance

import (
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// Libraries are those under test.
type Libraries []tlsstate.Library

// Run tests the machines of some libraries, with each other as well.
func Run(t *testing.T, libraries ...tlsstate.Library) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Libraries)
	}{
		{"MachinesMeet", machinesMeet},
		{"EveryCut", everyCut},
		{"PlaintextBehindHandshake", plaintextBehindHandshake},
		{"Records", records},
		{"ManyOwners", manyOwners},
		{"HalfClosed", halfClosed},
		{"LastWords", lastWords},
		{"StateOutlivesStop", stateOutlivesStop},

		{"PlainText", plainText},
		{"GarbageInsideHandshake", garbageInsideHandshake},
		{"BrokenRecord", brokenRecord},
		{"OversizedRecord", oversizedRecord},
		{"HandshakeTooLarge", handshakeTooLarge},
		{"HugeChain", hugeChain},
		{"NothingInCommon", nothingInCommon},
		{"EveryCallInEveryPhase", everyCallInEveryPhase},
		{"StopAnywhere", stopAnywhere},
		{"NothingAfterFailure", nothingAfterFailure},

		{"ClientCertificates", clientCertificates},
		{"ServerIdentity", serverIdentity},
		{"IdentityIsNotAsked", identityIsNotAsked},
		{"Revocation", revocation},
		{"RevocationExpires", revocationExpires},
		{"Chains", chains},
		{"ServerCertificates", serverCertificates},
		{"VerdictWithoutVerification", verdictWithoutVerification},
		{"ServerRefusesOurs", serverRefusesOurs},

		{"Resumption", resumption},
		{"TicketsOff", ticketsOff},
		{"TicketsAcrossReload", ticketsAcrossReload},
		{"ResumptionIsVerified", resumptionIsVerified},
		{"TicketKeysRotate", ticketKeysRotate},
		{"TicketKeysFile", ticketKeysFile},
		{"TicketOfTheOtherLibrary", ticketOfTheOtherLibrary},
		{"SessionsAreApart", sessionsAreApart},
		{"LongChains", longChains},
		{"SessionsHaveABound", sessionsHaveABound},
		{"KeyLog", keyLog},
		{"KeyLogsAgree", keyLogsAgree},
		{"Secrets", secrets},

		{"ServerDomainBySNI", serverDomainBySNI},
		{"UnrecognizedName", unrecognizedName},
		{"NoDomain", noDomain},
		{"ClientIdentity", clientIdentity},
		{"SeveralCertificates", severalCertificates},
		{"BuildMistakes", buildMistakes},
		{"FromFiles", fromFiles},
		{"Domains", domains},
		{"Reload", reload},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, libraries) })
	}
}

// each runs a test with every library at both ends, or at the one that it has.
func (libs Libraries) each(t *testing.T, f func(t *testing.T, lib tlsstate.Library)) {
	for _, l := range libs {
		t.Run(l.Name, func(t *testing.T) { f(t, l) })
	}
}

// eachPairing runs a test with every library at either end.
func (libs Libraries) eachPairing(t *testing.T, f func(t *testing.T, p tlstest.Pairing)) {
	for _, server := range libs {
		for _, client := range libs {
			t.Run(client.Name+" calls "+server.Name, func(t *testing.T) { f(t, tlstest.Pairing{Server: server, Client: client}) })
		}
	}
}
