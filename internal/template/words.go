package template

import "slices"

// Words are the words on the template's buttons of a kind, those of its cards among them, each once.
func (t *Template) Words(kind ButtonType) (list []string) {
	add := func(parts []Component) {
		for i := range parts {
			for j := range parts[i].Buttons {
				if b := &parts[i].Buttons[j]; b.Type == kind && !slices.Contains(list, b.Text) {
					list = append(list, b.Text)
				}
			}
		}
	}
	add(t.Components)
	for i := range t.Components {
		for j := range t.Components[i].Cards {
			add(t.Components[i].Cards[j].Components)
		}
	}
	return list
}
