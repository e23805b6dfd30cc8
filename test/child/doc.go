// Package child runs the program as a process of its own, the way an operator does, so that tests can kill it, starve it
// and measure it. It also has the clients that such tests need: the Graph API, the control API, and a webhook receiver that
// misbehaves when told to. It knows nothing of the inside of the program.
package child
