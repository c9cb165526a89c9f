//go:build openssl

package openssl

// #include "shim.h"
import "C"

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/regular"
)

// peers sets what is demanded of peers: authorities, usages, and the revocation
// lists that tlsstate has found usable.
func (d *domain) peers(cfg *tlsstate.DomainConfig, plain *tlsstate.Set) error {
	if err := d.authorities(cfg); err != nil {
		return err
	}
	for _, der := range plain.Revocations(cfg.Role, cfg.Name) {
		if err := said("crl_dir "+cfg.CRLDir, C.sc_domain_crl(d.held.ctx, data(der), C.long(len(der)))); err != nil {
			return err
		}
	}
	server := cfg.Role == tlsstate.Server
	require := or(cfg.RequireCert, server && d.verify)
	C.sc_domain_verify(d.held.ctx, flag(d.verify), flag(require), accepted(cfg.AcceptEKU),
		flag(server && or(cfg.VerifyDomain, false)), flag(cfg.CRLDir != ""), flag(cfg.CRLCheckAll))
	return nil
}

// accepted turns accept_eku, which tlsstate.Build has checked, into bits.
func accepted(names []string) (bits C.int) {
	if len(names) == 0 {
		return C.SC_SERVER_AUTH | C.SC_CLIENT_AUTH | C.SC_ANY
	}
	for _, name := range names {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "serverauth":
			bits |= C.SC_SERVER_AUTH
		case "clientauth":
			bits |= C.SC_CLIENT_AUTH
		case "any":
			bits |= C.SC_ANY
		case "sipdomain":
			bits |= C.SC_SIP_DOMAIN
		}
	}
	return bits
}

// authorities loads ca_list and ca_dir; with neither, the system's.
func (d *domain) authorities(cfg *tlsstate.DomainConfig) error {
	text := slices.Clone(cfg.CAPEM)
	if cfg.CAFile != "" {
		more, err := regular.Read(cfg.CAFile)
		if err != nil {
			return fmt.Errorf("ca_list: %w", err)
		}
		text = append(append(text, '\n'), more...)
	}
	if cfg.CADir != "" {
		err := eachFile(cfg.CADir, func(_ string, more []byte) error {
			text = append(append(text, '\n'), more...)
			return nil
		})
		if err != nil {
			return fmt.Errorf("ca_dir: %w", err)
		}
	}
	if len(text) == 0 {
		return said("the system's authorities", C.sc_domain_system(d.held.ctx))
	}
	return eachBlock(text, "CERTIFICATE", func(der []byte) error {
		return said("ca_list", C.sc_domain_authority(d.held.ctx, data(der), C.long(len(der))))
	})
}

// eachFile reads the regular files of a folder.
func eachFile(dir string, f func(file string, text []byte) error) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			continue
		}
		text, err := regular.Read(file)
		if err != nil {
			return err
		}
		if err := f(file, text); err != nil {
			return err
		}
	}
	return nil
}

// eachBlock gives the blocks of one kind in a PEM text.
func eachBlock(text []byte, kind string, f func(der []byte) error) error {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == kind {
			if err := f(block.Bytes); err != nil {
				return err
			}
		}
	}
	return nil
}

// preferECDSA puts the leaves into the order in which libssl prefers them; they
// come last one first.
func preferECDSA(leaves []*x509.Certificate) {
	slices.Reverse(leaves)
	slices.SortStableFunc(leaves, func(a, b *x509.Certificate) int { return cost(a) - cost(b) })
}

func cost(c *x509.Certificate) int {
	if _, ok := c.PublicKey.(*ecdsa.PublicKey); ok {
		return 0
	}
	return 1
}
