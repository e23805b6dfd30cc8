package device

// Inherit takes over the chats of the device that a user had before, as a backup does. What that one had not sent yet is
// left behind with its keys. Call it after Adopt, before anything has arrived; a store gets it with the next full export.
func (d *Device) Inherit(old *Device) {
	for _, c := range old.chats {
		n := d.makeChat(c.waID)
		n.name, n.verified, n.blocked, n.pin = c.name, c.verified, c.blocked, c.pin
	}
	for _, m := range old.history {
		if m.Status != Pending {
			d.add(m)
		}
	}
	d.me.NoReceipts = old.me.NoReceipts
	d.dirty.account = true
}
