package console

import (
	"image/color"

	"charm.land/lipgloss/v2"
)

// theme is every style of the screen. Text on a ground of its own names both colours, so it can be read on any terminal;
// text on the terminal's ground uses the terminal's colour or one in the middle. No state is told by colour alone.
type theme struct {
	dark                    bool
	bar, barDim, barOK      lipgloss.Style // top line
	barBad                  lipgloss.Style
	title, dim, faint       lipgloss.Style // on the terminal's ground
	accent, bad, line       lipgloss.Style
	item, itemDim, badge    lipgloss.Style // chosen row of the list; count of unread messages
	note                    lipgloss.Style // notices in a chat
	in, out                 look
	inputMark, inputPending lipgloss.Style
}

// look is how a bubble is painted.
type look struct {
	text, meta, link, read, bad, edge, picked, card lipgloss.Style
}

func newTheme(dark bool) theme {
	pick := func(light, night string) color.Color {
		return lipgloss.LightDark(dark)(lipgloss.Color(light), lipgloss.Color(night))
	}
	fg := func(light, night string) lipgloss.Style { return lipgloss.NewStyle().Foreground(pick(light, night)) }
	on := func(s lipgloss.Style, light, night string) lipgloss.Style { return s.Background(pick(light, night)) }
	t := theme{
		dark:   dark,
		bar:    on(fg("#1a1e26", "#e9e8e3"), "#dcd8cc", "#2b3038"),
		barDim: on(fg("#4f5563", "#b5bac4"), "#dcd8cc", "#2b3038"),
		barOK:  on(fg("#1d6b4a", "#7cc9a3"), "#dcd8cc", "#2b3038"),
		barBad: on(fg("#a3213a", "#f39aa8"), "#dcd8cc", "#2b3038"),
		title:  lipgloss.NewStyle().Bold(true),
		dim:    fg("#626875", "#939aa6"), faint: fg("#8a877e", "#6c7482"),
		accent: fg("#33509d", "#93aef2"), bad: fg("#a3213a", "#f39aa8"), line: fg("#cfcbc1", "#3a414c"),
		item: on(fg("#1a1e26", "#e9e8e3"), "#e0e6f6", "#232c45"), itemDim: on(fg("#4f5563", "#b5bac4"), "#e0e6f6", "#232c45"),
		badge: on(fg("#ffffff", "#ffffff"), "#33509d", "#4461b5").Bold(true), note: fg("#7d5200", "#e6bd67"),
		inputMark: fg("#33509d", "#93aef2").Bold(true), inputPending: fg("#626875", "#939aa6"),
	}
	bubble := func(light, night, meta, metaNight string) look {
		text := on(fg("#1a1e26", "#e9e8e3"), light, night)
		return look{
			text: text, meta: on(fg(meta, metaNight), light, night), link: on(fg("#2a4cab", "#a5bcf7"), light, night).Underline(true),
			read: on(fg("#2f5be0", "#9db8ff"), light, night).Bold(true), bad: on(fg("#a3213a", "#f39aa8"), light, night),
			edge: fg(light, night), picked: fg("#2f5be0", "#9db8ff"), card: on(fg("#33509d", "#93aef2"), light, night),
		}
	}
	t.in, t.out = bubble("#e9e6dd", "#262b33", "#5c6270", "#a4abb8"), bubble("#d5dff7", "#2b3a68", "#4f5872", "#b9c4e6")
	return t
}
