// Package account decides who somebody is: sign-in addresses, passwords,
// invitations, and the devices that stay signed in. Its main service is the
// Authority. It also finds the server of another organisation from a sign-in
// address.
//
// It decides nothing about what somebody may see or do once they are known. It
// never keeps a password, a token or an invitation code (only hashes of them),
// never logs one, and never answers differently, nor after a different amount of
// work, for an address that exists and one that does not. It opens no connection
// itself: whoever builds it hands it the means.
package account
