package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// hands do what commands ask for. A device.Link has them.
type hands interface {
	Do(f func(d *device.Device) (device.Effects, error)) error
	SendFile(ctx context.Context, to string, a device.Attachment) (device.Message, error)
	Fetch(ctx context.Context, id string, n int) (device.Media, []byte, error)
}

// commander carries out commands in one chat.
type commander struct {
	hands hands
	chat  string
	at    uint64 // N of the message that is meant when a command names none; 0 for the newest that fits
	sent  int    // messages handed to the device
	flows opener // nil: flows are answered without being seen
	form  *form  // a flow that a command has opened
	asked bool   // the platform was asked who the business is
}

// command is a line that begins with a slash.
type command struct {
	name, args, does string
	run              func(c *commander, ctx context.Context, a *args) (said string, err error)
}

// errUsage reports a command without what it needs.
var errUsage = errors.New("usage")

// commands are in the order in which /help lists them.
func commands() []command {
	list := []command{
		{"press", "[#N] CHOICE [key=value …]", "press a button or row, by its number or words; a form opens, or key=value fills it in", (*commander).press},
		{"open", "[#N] [LINK]", "open the link behind a button, by its words; the business counts it", (*commander).open},
		{"reply", "[#N] TEXT", "answer a message", (*commander).reply},
		{"react", "[#N] EMOJI", "react to a message; /react without emoji takes it away", (*commander).react},
		{"save", "[#N] [PATH]", "save the file of a message", (*commander).save},
		{"play", "[#N]", "save a voice message and say that it was played", (*commander).play},
	}
	for _, kind := range []string{"image", "video", "audio", "voice", "document", "sticker"} {
		list = append(list, command{kind, "PATH [CAPTION]", "send a file as " + kind, func(c *commander, ctx context.Context, a *args) (string, error) {
			return c.file(ctx, kind, a)
		}})
	}
	return append(
		list,
		command{"location", "LAT LON [NAME]", "send a place", (*commander).location},
		command{"contact", "NUMBER [NAME]", "send a contact card", (*commander).contact},
		command{"order", "CATALOG SKU QUANTITY PRICE CURRENCY", "send a cart", (*commander).order},
		command{"edit", "[#N] TEXT", "change a text of yours, up to 15 minutes after it", (*commander).edit},
		command{"delete", "[#N]", "delete a message of yours for everybody, up to 2 days after it", (*commander).revoke},
		act("block", "[REASON]", "block this business"), act("unblock", "", "let it write again"),
		act("report", "[REASON]", "report this business"), act("mute", "", "mute this chat"), act("archive", "", "put this chat away"),
		act("stop", "", "no marketing messages from this business"), act("resume", "", "marketing messages again"),
		command{"info", "", "who this business is: the profile it gave itself", (*commander).info},
		command{"list", "[COUNT]", "the last messages with their numbers", (*commander).list},
	)
}

// help is every command, one a line.
func help() (lines []string) {
	for _, c := range commands() {
		lines = append(lines, fmt.Sprintf("%-40s %s", "/"+c.name+" "+c.args, c.does))
	}
	return append(
		lines, fmt.Sprintf("%-40s %s", "/help", "this list"),
		"#N is the number of a message; without it the chosen one, or the newest that fits. //text sends /text.",
	)
}

// do carries out a line that begins with a slash. What it says is for the person alone, a line or several.
func (c *commander) do(ctx context.Context, line string) (said string, err error) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(line, "/"), " ")
	if name == "help" {
		return strings.Join(help(), "\n"), nil
	}
	list := commands()
	i := slices.IndexFunc(list, func(k command) bool { return k.name == name })
	if i < 0 {
		return "", fmt.Errorf("there is no /%s; /help lists the commands", oneLine(name))
	}
	a := &args{rest: strings.TrimSpace(rest)}
	if word, after, _ := strings.Cut(a.rest, " "); strings.HasPrefix(word, "#") {
		n, err := strconv.ParseUint(word[1:], 10, 64)
		if err != nil {
			return "", fmt.Errorf("%s is no number of a message", oneLine(word))
		}
		a.n, a.rest = n, strings.TrimSpace(after)
	}
	said, err = list[i].run(c, ctx, a)
	if errors.Is(err, errUsage) {
		err = fmt.Errorf("write /%s %s", name, list[i].args)
	}
	return said, err
}

// args is what stands behind the name of a command.
type args struct {
	n    uint64 // of the message; 0 for none named
	rest string
}

// word takes the next word.
func (a *args) word() string {
	w, rest, _ := strings.Cut(a.rest, " ")
	a.rest = strings.TrimSpace(rest)
	return w
}

// message finds what a command is about: the one it names, the chosen one, or the newest that fits.
func (c *commander) message(a *args, fits func(m *device.Message) bool) (found device.Message, err error) {
	var list []device.Message
	err = c.hands.Do(func(d *device.Device) (device.Effects, error) {
		list = d.Messages(c.chat, 0, 0)
		return device.Effects{}, nil
	})
	if err != nil {
		return found, err
	}
	n := a.n
	if n == 0 {
		n = c.at
	}
	for _, m := range slices.Backward(list) {
		switch {
		case a.n != 0 && m.N == a.n && !fits(&m):
			return found, fmt.Errorf("#%d is no message for that", a.n)
		case n != 0 && m.N != n, !fits(&m):
			continue
		}
		return m, nil
	}
	if a.n == 0 && c.at != 0 {
		at := c.at
		c.at = 0 // the chosen one does not fit: the newest that does
		defer func() { c.at = at }()
		return c.message(a, fits)
	}
	if a.n != 0 {
		return found, fmt.Errorf("there is no message #%d in this chat", a.n)
	}
	return found, errors.New("there is no message in this chat for that")
}

func received(m *device.Message) bool { return m.Direction == device.In && m.ID != "" }

func shownReceived(m *device.Message) bool { return received(m) && m.Type != "reaction" }

func own(m *device.Message) bool {
	return m.Direction == device.Out && m.ID != "" && !m.Revoked && m.Type != "reaction" && m.Type != "edit" && m.Type != "revoke"
}

func (c *commander) send(content []byte) error {
	err := c.hands.Do(func(d *device.Device) (device.Effects, error) {
		_, eff, err := d.Send(c.chat, content)
		return eff, err
	})
	if err == nil {
		c.sent++
	}
	return err
}

func (c *commander) reply(_ context.Context, a *args) (string, error) {
	if a.rest == "" {
		return "", errUsage
	}
	m, err := c.message(a, shownReceived)
	if err != nil {
		return "", err
	}
	return "", c.send(textContent(a.rest, m.ID))
}

func (c *commander) react(_ context.Context, a *args) (string, error) {
	m, err := c.message(a, shownReceived)
	if err != nil {
		return "", err
	}
	return "", c.send(device.ReactionContent(m.ID, a.rest))
}

func (c *commander) edit(_ context.Context, a *args) (string, error) {
	if a.rest == "" {
		return "", errUsage
	}
	m, err := c.message(a, func(m *device.Message) bool { return own(m) && m.Type == "text" })
	if err != nil {
		return "", err
	}
	return "", c.send(device.EditContent(m.ID, a.rest))
}

func (c *commander) revoke(_ context.Context, a *args) (string, error) {
	m, err := c.message(a, own)
	if err != nil {
		return "", err
	}
	return "", c.send(device.RevokeContent(m.ID))
}

// press answers a message with one of its choices.
func (c *commander) press(ctx context.Context, a *args) (string, error) {
	which, fields := filling(a.rest)
	if which == "" {
		return "", errUsage
	}
	n, _ := strconv.Atoi(which) // 0 for words
	var b *button
	at := 0
	m, err := c.message(a, func(m *device.Message) bool {
		if !received(m) {
			return false
		}
		p := read(m)
		b, at = p.pressable(which, n)
		return b != nil
	})
	if err != nil {
		return "", err
	}
	if b.choice.Kind == device.ChoiceFlow {
		open, err := c.flow(ctx, m.ID, at)
		if open != nil && err == nil {
			return "", c.answerFlow(ctx, open, fields)
		}
		if err != nil {
			return "", err
		}
	}
	f, err := fillIn(b.choice.Kind, fields)
	if err != nil {
		return "", err
	}
	return "", c.hands.Do(func(d *device.Device) (device.Effects, error) {
		content, err := d.Press(m.ID, at, f)
		if err != nil {
			return device.Effects{}, err
		}
		_, eff, err := d.Send(c.chat, content)
		if err == nil {
			c.sent++
		}
		return eff, err
	})
}

// open shows where a link leads, and tells the platform that it was opened.
func (c *commander) open(_ context.Context, a *args) (string, error) {
	which, n := strings.TrimSpace(a.rest), -1
	m, err := c.message(a, func(m *device.Message) bool {
		n = -1
		if received(m) {
			n = slices.IndexFunc(m.Choices(), func(o device.Choice) bool {
				return o.Kind == device.ChoiceURL && (which == "" || strings.EqualFold(o.Title, which))
			})
		}
		return n >= 0
	})
	if err != nil {
		return "", err
	}
	return m.Choices()[n].Target, c.hands.Do(func(d *device.Device) (device.Effects, error) { return d.Click(m.ID, n) })
}

// answerFlow goes through a flow that has just opened, when the command brings what is to be filled in.
func (c *commander) answerFlow(ctx context.Context, open *form, fields map[string]any) error {
	if len(fields) == 0 {
		c.form = open
		return nil
	}
	response, err := open.s.Fill(ctx, fields, false)
	if err != nil {
		return err
	}
	content, err := open.offer.Content(response)
	if err != nil {
		return err
	}
	return c.send(content)
}

// filling splits "Go on guests=8 note=two tables" into the words of a choice and fields.
func filling(s string) (which string, fields map[string]any) {
	fields = map[string]any{}
	last := ""
	var words []string
	for w := range strings.FieldsSeq(s) {
		key, value, ok := strings.Cut(w, "=")
		switch {
		case ok && key != "":
			fields[key], last = value, key
		case last != "":
			fields[last] = fmt.Sprint(fields[last], " ", w)
		default:
			words = append(words, w)
		}
	}
	return strings.Join(words, " "), fields
}

// fillIn makes what a choice needs of key=value pairs.
func fillIn(kind device.ChoiceKind, fields map[string]any) (f device.Filling, err error) {
	str := func(k string) string { s, _ := fields[k].(string); return s }
	number := func(k string) (v float64) {
		if err == nil {
			if v, err = strconv.ParseFloat(str(k), 64); err != nil {
				err = fmt.Errorf("%s=… with a number is missing", k)
			}
		}
		return v
	}
	switch kind {
	case device.ChoiceLocation:
		f.Place = &device.Place{Latitude: number("lat"), Longitude: number("lon"), Name: str("name"), Address: str("address")}
	case device.ChoiceOrder:
		f.Items = []device.Item{{SKU: str("sku"), Quantity: int(number("quantity")), Price: number("price"), Currency: str("currency")}}
		f.Catalog = str("catalog")
	default:
		f.Fields = fields
	}
	return f, err
}

func (c *commander) location(_ context.Context, a *args) (string, error) {
	lat, err := strconv.ParseFloat(strings.TrimSuffix(a.word(), ","), 64)
	lon, wrong := strconv.ParseFloat(a.word(), 64)
	if err != nil || wrong != nil {
		return "", errUsage
	}
	return "", c.send(device.PlaceContent(device.Place{Latitude: lat, Longitude: lon, Name: a.rest}))
}

func (c *commander) contact(_ context.Context, a *args) (string, error) {
	n := digits(a.word())
	if n == "" {
		return "", errUsage
	}
	name := a.rest
	if name == "" {
		name = number(n)
	}
	return "", c.send(device.ContactContent(name, n, false))
}

func (c *commander) order(_ context.Context, a *args) (string, error) {
	catalog, sku := a.word(), a.word()
	quantity, err := strconv.Atoi(a.word())
	price, wrong := strconv.ParseFloat(a.word(), 64)
	currency := a.word()
	if err != nil || wrong != nil || currency == "" {
		return "", errUsage
	}
	content, err := device.OrderContent(catalog, a.rest, []device.Item{{SKU: sku, Quantity: quantity, Price: price, Currency: currency}})
	if err != nil {
		return "", err
	}
	return "", c.send(content)
}

// act is a command that tells the platform what the person does about the business.
func act(name, more, does string) command {
	do := frame.Do(name)
	switch name {
	case "stop":
		do = frame.DoOptOut
	case "resume":
		do = frame.DoOptIn
	}
	return command{name, more, does, func(c *commander, _ context.Context, a *args) (string, error) {
		err := c.hands.Do(func(d *device.Device) (device.Effects, error) {
			return d.Act(frame.Act{Do: do, Of: c.chat, Reason: a.rest})
		})
		if err != nil {
			return "", err
		}
		return "The platform is told: " + name + ".", nil
	}}
}

// list shows the last messages with their numbers.
func (c *commander) list(_ context.Context, a *args) (string, error) {
	count := 20
	if w := a.word(); w != "" {
		n, err := strconv.Atoi(w)
		if err != nil || n < 1 {
			return "", errUsage
		}
		count = n
	}
	var lines []string
	err := c.hands.Do(func(d *device.Device) (device.Effects, error) {
		for _, m := range d.Messages(c.chat, 0, count) {
			who := map[device.Direction]string{device.In: "<", device.Out: ">", device.Notice: "·"}[m.Direction]
			line := fmt.Sprintf("#%d %s %s", m.N, who, Line(&m))
			if badge := strings.TrimSpace(oneLine(m.Theirs) + " " + oneLine(m.Ours)); badge != "" {
				line += "  " + badge
			}
			lines = append(lines, line)
		}
		return device.Effects{}, nil
	})
	return strings.Join(lines, "\n"), err
}
