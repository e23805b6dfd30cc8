// Package receiver is the sample webhook receiver behind `hikyaku echo`: it answers the verification handshake, checks the
// signature of every delivery, prints the payload and says 200. It can subscribe an app to itself. It is a client of the
// platform like any other and must not know the platform's rooms.
package receiver
