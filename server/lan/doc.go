// Package lan lets phones on the same network try Parley over HTTPS without a
// public name: a certificate authority of the machine's own, a certificate for
// the addresses of its network, a page that explains how to trust the authority,
// and a QR code of that page.
//
// It decides which names and addresses the authority may speak for: private
// ones only, written into the authority's own certificate, so that whoever steals
// its key can imitate no public site. The key never leaves its file.
package lan
