package virtual

import (
	"context"
	"errors"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// doing are the actions that the platform is told of as such.
var doing = map[Do]frame.Do{
	DoReport: frame.DoReport, DoMute: frame.DoMute, DoArchive: frame.DoArchive, DoOptOut: frame.DoOptOut, DoOptIn: frame.DoOptIn,
}

// act needs mu. It does what a timer is for.
func (u *user) act(t *timer) {
	var eff device.Effects
	var err error
	switch t.act.Do {
	case DoRead:
		eff, err = u.d.MarkRead(t.ids...)
	case DoPlay:
		eff, err = u.d.MarkPlayed(t.ids...)
	case DoReply:
		_, eff, err = u.d.Send(t.chat, t.act.Content)
	case DoPress:
		if u.fillFlow(t) {
			return
		}
		var fill device.Filling
		if t.act.Fill != nil {
			fill = *t.act.Fill
		}
		var content []byte
		if content, err = u.d.Press(t.ids[0], t.act.Choice, fill); err == nil {
			_, eff, err = u.d.Send(t.chat, content)
		}
	case DoClick:
		eff, err = u.d.Click(t.ids[0], t.act.Choice)
	case DoFile:
		eff, err = u.sendSample(t.chat, t.act.Kind)
	case DoBlock, DoUnblock:
		eff, err = u.d.Block(t.chat, t.act.Do == DoBlock)
	case DoOffline:
		u.leave(t.act.For)
	default:
		eff, err = u.d.Act(frame.Act{Do: doing[t.act.Do], Of: t.chat, ID: t.ids[0]})
	}
	if errors.Is(err, device.ErrBlocked) {
		return // what was decided before the block is not said any more
	}
	if u.well(err) {
		u.carry(eff)
	}
}

// leave needs mu. It disconnects the user, for a while or until told otherwise.
func (u *user) leave(length time.Duration) {
	u.setOnline(false)
	if length > 0 {
		u.after(length, timer{what: whatOnline})
	}
}

// sendSample needs mu. The file is a few hundred bytes and the relay is in this process.
func (u *user) sendSample(chat, kind string) (device.Effects, error) {
	relay, err := u.relay()
	if err != nil {
		return device.Effects{}, err
	}
	a, ok := Sample(kind)
	if !ok {
		return device.Effects{}, ErrAction
	}
	content, err := a.Upload(context.Background(), u.f.o.Rand, relay)
	if err != nil {
		return device.Effects{}, err
	}
	_, eff, err := u.d.Send(chat, content)
	return eff, err
}
