package virtual

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// press makes the answer to the choice that a person means.
func press(d *device.Device, id, which string, f device.Filling) ([]byte, error) {
	n, err := choose(d, id, which)
	if err != nil {
		return nil, err
	}
	return d.Press(id, n, f)
}

// choose finds the choice that a person means, by its number (from 1), id or title.
func choose(d *device.Device, id, which string) (int, error) {
	m, ok := d.Message(id)
	if !ok {
		return 0, fmt.Errorf("message %q: %w", id, ErrUnknown)
	}
	list := m.Choices()
	n := slices.IndexFunc(list, func(c device.Choice) bool {
		return which != "" && (c.ID == which || strings.EqualFold(c.Title, which))
	})
	if i, err := strconv.Atoi(which); n < 0 && err == nil {
		n = i - 1
	}
	if which == "" && len(list) == 1 {
		n = 0
	}
	if n < 0 || n >= len(list) {
		var titles []string
		for i, c := range list {
			titles = append(titles, fmt.Sprintf("%d %q", i+1, c.Title))
		}
		return 0, fmt.Errorf("%w: choice %q is none of [%s]", ErrAction, which, strings.Join(titles, ", "))
	}
	return n, nil
}

// click opens the link that a person means: one in the text, or behind a button, which may be left out if there is one link.
func click(d *device.Device, a *UserAction) (device.Effects, error) {
	if err := knows(d, a.IDs); err != nil {
		return device.Effects{}, err
	}
	m, _ := d.Message(a.IDs[0])
	if a.Choice == "body" {
		return d.Act(frame.Act{Do: frame.DoClick, Of: m.Chat, ID: m.ID, Reason: a.Choice})
	}
	if links := linksOf(&m); a.Choice == "" && len(links) == 1 {
		return d.Click(m.ID, links[0])
	}
	n, err := choose(d, m.ID, a.Choice)
	if err != nil {
		return device.Effects{}, err
	}
	return d.Click(m.ID, n)
}

// linksOf are the places of a message's links among its choices.
func linksOf(m *device.Message) (list []int) {
	for i, c := range m.Choices() {
		if c.Kind == device.ChoiceURL {
			list = append(list, i)
		}
	}
	return list
}

// Choice is something to press below a message, as the control API shows it.
type Choice struct {
	N       int    `json:"n"` // from 1
	Kind    string `json:"kind"`
	ID      string `json:"id,omitempty"`
	Title   string `json:"title"`
	Note    string `json:"description,omitempty"`
	Section string `json:"section,omitempty"`
	Target  string `json:"target,omitempty"`
	Card    int    `json:"card,omitempty"` // of a carousel, from 1
	Answers bool   `json:"answers"`        // pressing it sends a message
}

func choicesOf(m *device.Message) (list []Choice) {
	if m.Direction != device.In || (m.Type != "interactive" && m.Type != "template") {
		return nil
	}
	for i, c := range m.Choices() {
		list = append(list, Choice{
			N: i + 1, Kind: string(c.Kind), ID: c.ID, Title: c.Title, Note: c.Note, Section: c.Section, Target: c.Target,
			Card: c.Card + 1, Answers: c.Answers(),
		})
	}
	return list
}
