package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// Options are what a phone needs. Server, Phone, State, HTTP, In, Out and Err are needed.
type Options struct {
	Server  string // "https://example.org"
	Control string // control API of a sandbox, which knows verification codes; empty for none
	Phone   string // digits of the user's number
	Name    string // profile name; empty leaves it
	State   string // file in which the device lives
	To      string // digits of the business number to write to; empty for the only one
	Suggest string // business number to begin with when there is no chat yet; empty for none
	Code    string // verification code, when it is known beforehand
	PIN     string // of the number, when it has one
	Client  string // name and version of the program

	Terminal bool           // a screen; else lines
	Wait     time.Duration  // in lines: how long to go on receiving after the end of In
	Zone     *time.Location // of times; nil means the machine's
	Clock    clock.Clock    // nil means the machine's
	HTTP     *http.Client   // with a timeout
	In       io.Reader
	Out      io.Writer
	Err      io.Writer // what is said beside the conversation

	// Ask asks the person for a line, hidden while it is typed if it is a secret. Nil: nobody is there.
	Ask func(ctx context.Context, prompt string, secret bool) (string, error)
}

func (o *Options) say(format string, args ...any) {
	fmt.Fprintf(o.Err, format+"\n", args...)
}

func (o *Options) zone() *time.Location {
	if o.Zone == nil {
		return time.Local
	}
	return o.Zone
}

// Run is the phone until the person quits, the input ends, or ctx does. Errors: those of the state file
// ([device.ErrLocked], [device.ErrDamaged]), of the registration, and what ended the connection for good.
func Run(ctx context.Context, o Options) error {
	if n := len(digits(o.Phone)); n < 7 || n > 15 {
		return fmt.Errorf("%q is no phone number; write it as +16505555555", o.Phone)
	}
	o.Phone, o.To, o.Suggest = digits(o.Phone), digits(o.To), digits(o.Suggest)
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	store, err := device.OpenFile(o.State)
	if errors.Is(err, device.ErrLocked) {
		return fmt.Errorf("this phone is open in another window (%s): %w", o.State, err)
	}
	if err != nil {
		return err
	}
	d, err := o.open(ctx, store)
	if err == nil {
		err = o.session(ctx, d)
	}
	if errors.Is(err, errStale) {
		o.say("The platform does not know this phone's device any more: registering %s again.", number(o.Phone))
		if d, err = o.register(ctx, store); err == nil {
			err = o.session(ctx, d)
		}
	}
	return errors.Join(err, store.Close())
}

// errStale reports a device that the platform had removed before this run.
var errStale = errors.New("the platform does not know this device")

// stale reports whether a connection ended because the platform has another device in this one's place, or none. The link
// has no error of its own for a proof that is not accepted.
func stale(err error) bool {
	return errors.Is(err, device.ErrGone) || (err != nil && strings.Contains(err.Error(), "does not accept the device's proof"))
}

// session runs a registered device on the screen or in lines.
func (o *Options) session(ctx context.Context, d *device.Device) error {
	if o.Name != "" && o.Name != d.Name() {
		if _, err := d.SetProfile(frame.Profile{Name: &o.Name}); err != nil {
			return fmt.Errorf("set the profile name: %w", err)
		}
	}
	me := d.WaID()
	p := newPump()
	failed := make(chan error, 1)
	l, err := device.NewLink(d, device.LinkOptions{
		Server: o.Server, Clock: o.Clock, Events: p.put, HTTP: streaming(o.HTTP),
		Logger: slog.New(failures{slog.DiscardHandler, func(err error) {
			select {
			case failed <- err:
			default: // the one before was not shown yet
			}
		}}),
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	var running sync.WaitGroup
	running.Go(func() { ended <- l.Run(ctx) })
	defer running.Wait() // nobody touches the device after the session
	defer stop()
	if o.Terminal {
		return o.screen(ctx, l, me, p, failed, ended)
	}
	return (&lines{o: o, l: l, p: p, failed: failed, ended: ended}).run(ctx)
}

// streaming is a client for connections that last: a timeout would end them.
func streaming(c *http.Client) *http.Client {
	return &http.Client{Transport: c.Transport}
}

// screenRate is how often the screen is looked at, per second: nobody types faster, and a phone that lies there costs nothing.
const screenRate = 20

// screen runs the phone on the terminal.
func (o *Options) screen(ctx context.Context, l *device.Link, me string, p *pump, failed, ended <-chan error) error {
	open := o.To
	var known int
	l.Look(func(d *device.Device) { known = len(d.Chats()) })
	if open == "" && known == 0 {
		open = o.Suggest
	}
	m := newModel(ctx, linked{l}, o.Clock, o.zone(), me, open)
	m.hands, m.flows = l, l
	program := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out),
		tea.WithFPS(screenRate))
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-p.ready:
				program.Send(eventsMsg(p.take()))
			case err := <-failed:
				program.Send(failedMsg{err})
			case err := <-ended:
				program.Send(endedMsg{err})
			case <-done:
				return
			}
		}
	}()
	_, err := program.Run()
	close(done)
	switch {
	case errors.Is(err, tea.ErrInterrupted), ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("screen: %w", err)
	case m.stale:
		return errStale
	case m.final:
		return m.err
	}
	return nil
}
