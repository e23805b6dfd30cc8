package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// Times and bounds of asking the control API for a code.
const (
	codeTries  = 10
	codePause  = 200 * time.Millisecond
	maxControl = 64 << 10 // bytes of an answer
)

// errNoCode reports that nobody can tell the verification code.
var errNoCode = errors.New("a verification code is needed and nobody is there to enter it: register once in a terminal, " +
	"or give --code; in a sandbox --control names the control API")

// StatePath is the default state file of a phone: one per server and number below the user's configuration folder.
func StatePath(server, phone string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%q is no address of a server", server)
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the phone's state (--state): %w", err)
	}
	name := strings.ReplaceAll(u.Host, ":", "_") + "-" + digits(phone) + ".state"
	return filepath.Join(dir, "hikyaku", "chat", name), nil
}

// open takes the device from its state file, or registers a new one.
func (o *Options) open(ctx context.Context, store device.Store) (*device.Device, error) {
	d, err := device.Open(o.device(store))
	switch {
	case errors.Is(err, device.ErrEmpty):
		return o.register(ctx, store)
	case err != nil:
		return nil, err
	case d.Gone():
		o.say("The platform has removed this phone's device: registering %s again.", number(d.WaID()))
		return o.register(ctx, store)
	}
	return d, nil
}

func (o *Options) device(store device.Store) device.Options {
	d := device.Options{Clock: o.Clock, Store: store, Client: o.Client}
	if !o.Terminal {
		// What is printed is read.
		d.ReadAtOnce = func(*device.Message) bool { return true }
	}
	return d
}

// register makes the number's primary device, in place of whatever the store holds. Source: design "The user network",
// section 2.
func (o *Options) register(ctx context.Context, store device.Store) (*device.Device, error) {
	r := device.Registrar{Server: o.Server, HTTP: o.HTTP}
	o.say("Registering %s at %s.", number(o.Phone), o.Server)
	answer, err := r.RequestCode(ctx, "+"+o.Phone, "sms", "en")
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("nothing answers at %s: start a platform with `hikyaku serve --sandbox`, or say with --server where one is", o.Server)
	}
	if err != nil {
		return nil, explain(err)
	}
	g := device.Registration{
		CodeID: answer.CodeID, PIN: o.PIN, Profile: o.Name, Device: "Terminal", Platform: frame.PlatformCLI,
	}
	if g.Code, err = o.code(ctx); err != nil {
		return nil, err
	}
	for {
		d, err := r.Register(ctx, g, o.device(store))
		var refused *frame.Error
		if !errors.As(err, &refused) || o.Ask == nil {
			return d, explain(err)
		}
		left := ""
		if refused.Left != nil {
			left = fmt.Sprintf(" %d tries left.", *refused.Left)
		}
		switch refused.Code {
		case frame.ErrPINRequired:
			g.PIN, err = o.Ask(ctx, "PIN of this number: ", true)
		case frame.ErrPINWrong:
			g.PIN, err = o.Ask(ctx, "Wrong PIN."+left+" PIN: ", true)
		case frame.ErrCodeWrong:
			g.Code, err = o.Ask(ctx, "Wrong code."+left+" Code: ", false)
		default:
			return nil, explain(err)
		}
		if err != nil {
			return nil, err
		}
		g.Code = digits(g.Code)
	}
}

// explain turns refusals of a registration into advice.
func explain(err error) error {
	var refused *frame.Error
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Code {
	case frame.ErrRate:
		wait := time.Duration(refused.After) * time.Millisecond
		return fmt.Errorf("too many codes were asked for; try again in %s", max(wait, time.Second).Round(time.Second))
	case frame.ErrPINRequired:
		return errors.New("this number is protected by a PIN: give --pin")
	}
	return fmt.Errorf("the platform refused the registration: %w", err)
}

// code is the one given, or the one that a sandbox caught, or what the person enters.
func (o *Options) code(ctx context.Context) (string, error) {
	if o.Code != "" {
		return digits(o.Code), nil
	}
	if o.Control != "" {
		code, err := o.caught(ctx)
		if err == nil {
			o.say("The sandbox caught the code %s.", code)
			return code, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if o.Ask == nil {
			return "", fmt.Errorf("%w (%w)", errNoCode, err)
		}
	}
	if o.Ask == nil {
		return "", errNoCode
	}
	code, err := o.Ask(ctx, "Code sent to "+number(o.Phone)+": ", false)
	return digits(code), err
}

// caught asks the control API for the newest code of the number; it may take a moment to arrive there.
func (o *Options) caught(ctx context.Context) (string, error) {
	address := strings.TrimSuffix(o.Control, "/") + "/control/v1/codes?phone=" + url.QueryEscape("+"+o.Phone)
	for range codeTries {
		code, err := o.askControl(ctx, address)
		if err != nil || code != "" {
			return code, err
		}
		if err := o.Clock.Sleep(ctx, codePause); err != nil {
			return "", err
		}
	}
	return "", errors.New("the control API knows no code of this number")
}

func (o *Options) askControl(ctx context.Context, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("ask the control API for the code: %w", err)
	}
	res, err := o.HTTP.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask the control API for the code: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the control API answered %s", res.Status)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxControl))
	if err != nil {
		return "", fmt.Errorf("ask the control API for the code: %w", err)
	}
	var list struct {
		Data []struct {
			Code string    `json:"code"`
			At   time.Time `json:"at"`
		} `json:"data"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return "", fmt.Errorf("read the control API's answer: %w", err)
	}
	code, newest := "", time.Time{}
	for _, c := range list.Data {
		if !c.At.Before(newest) {
			code, newest = c.Code, c.At
		}
	}
	return code, nil
}
