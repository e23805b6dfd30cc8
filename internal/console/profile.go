package console

import (
	"context"
	"strings"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// info asks who the business is; the answer comes as an event.
func (c *commander) info(context.Context, *args) (string, error) {
	c.asked = true
	return "", c.hands.Do(func(d *device.Device) (device.Effects, error) { return d.Find(c.chat) })
}

// profileOf is the profile of a business as people read it, a line for each thing that is known.
func profileOf(b frame.Business) []string {
	name := oneLine(b.Name)
	if b.Verified {
		name += " (verified)"
	}
	rows := []string{name + "  " + number(b.WaID)}
	for _, row := range [][2]string{
		{"about", b.About},
		{"description", b.Description},
		{"address", b.Address},
		{"e-mail", b.Email},
		{"websites", strings.Join(b.Websites, "  ")},
		{"industry", b.Vertical},
		{"photo", b.Photo},
	} {
		if row[1] != "" {
			rows = append(rows, row[0]+": "+oneLine(row[1]))
		}
	}
	return rows
}

// foundProfile is the profile of one business among those that were found.
func foundProfile(waID string, found []frame.Business) ([]string, bool) {
	for _, b := range found {
		if b.WaID == waID {
			return profileOf(b), true
		}
	}
	return nil, false
}
