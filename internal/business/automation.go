package business

import (
	"strings"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Automation is what a chat offers by itself. Source: spec/phone_numbers.md section 11.
type Automation struct {
	Welcome  bool     // first-time chat openings are reported
	Prompts  []string // ice breakers
	Commands []Command
}

// Command is offered behind a slash.
type Command struct {
	Name        string `json:"command_name"`
	Description string `json:"command_description"`
}

// Limits of conversational components.
const (
	maxPrompts            = 4
	maxPrompt             = 80
	maxCommands           = 30
	maxCommandName        = 32
	maxCommandDescription = 256
)

// Check holds the components to their limits. Errors are rows of code 100.
func (a *Automation) Check() error {
	if len(a.Prompts) > maxPrompts {
		return wa.ErrTooManyPrompts.Titled("Too many prompts provided. Maximum allowed is %d", maxPrompts)
	}
	for _, p := range a.Prompts {
		switch {
		case utf8.RuneCountInString(p) > maxPrompt:
			return wa.ErrPromptTooLong
		case strings.TrimSpace(p) == "", emoji(p):
			return wa.ErrInvalidParameter.Titled("Param prompts must not be empty and must not contain emoji.")
		}
	}
	if len(a.Commands) > maxCommands {
		return wa.ErrInvalidParameter.Titled("Param commands must be a list of at most %d commands.", maxCommands)
	}
	seen := map[string]bool{}
	for _, c := range a.Commands {
		if err := c.check(); err != nil {
			return err
		}
		if seen[c.Name] {
			return wa.ErrCommandName.Titled("Invalid command name format. The name %s is used twice.", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

func (c Command) check() error {
	if c.Name == "" || len(c.Name) > maxCommandName {
		return wa.ErrCommandName.Titled("Invalid command name format. A name has 1 to %d characters.", maxCommandName)
	}
	for i := range len(c.Name) {
		if b := c.Name[i]; b != '_' && (b < '0' || b > '9') && (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') {
			return wa.ErrCommandName.Titled("Invalid command name format. Only letters, digits and underscores are allowed.")
		}
	}
	switch {
	case utf8.RuneCountInString(c.Description) > maxCommandDescription:
		return wa.ErrParamTooLong.Fill("command_description", maxCommandDescription)
	case strings.TrimSpace(c.Description) == "", emoji(c.Description):
		return wa.ErrInvalidParameter.Titled("Param command_description must not be empty and must not contain emoji.")
	}
	return nil
}

// emoji reports whether a text holds a pictograph. Source: Unicode blocks of emoji and dingbats.
func emoji(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r >= 0x1F000 && r <= 0x1FAFF || r >= 0x2600 && r <= 0x27BF || r == 0x2B50 || r == 0x2B55 || r == 0xFE0F || r == 0x20E3
	})
}
